import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import numpy as np
import pytest
import soundfile
from conftest import SHARED_DATA

from timbrelib.cli import main
from timbrelib.recordings import download
from timbrelib.recordings.manifest import credit, manifest

ORIGINALS = SHARED_DATA / "originals"


class Handler(SimpleHTTPRequestHandler):
    """Serve a folder and record the requests."""

    def log_message(self, *_):
        """Log nothing."""

    def do_GET(self):
        self.server.asked.append(unquote(self.path))
        super().do_GET()


@pytest.fixture
def serve():
    servers = []

    def start(folder):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server, f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def own_original(tmp_path, monkeypatch, phrases):
    """A stereo original at 44.1 kHz with a space in its name, cut into two recordings."""
    path = tmp_path / "web" / "me" / "strings" / "abc" / "a phrase.wav"
    path.parent.mkdir(parents=True)
    soundfile.write(path, np.repeat(phrases[0].audio, 2)[:, None] * [1, 0.5], 44_100)
    row = {
        "domain": "violin", "source_repo": "me/strings", "source_commit": "abc", "source_path": "a phrase.wav",
        "source_sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "licence": "CC0", "split": "train",
        "high_pass_hz": "110",
    }  # fmt: skip
    rows = [
        row | {"file": "violin/a.flac", "start_s": "0.5", "end_s": "1.5"},
        row | {"file": "violin/b.flac", "start_s": "2.0", "end_s": "3.0"},
    ]
    monkeypatch.setattr(download, "manifest", lambda domain: rows)
    return tmp_path / "web"


def test_originals_are_downloaded_once_and_cut_as_the_manifest_says(own_original, serve, tmp_path, phrases):
    server, address = serve(own_original)
    built = download.download("violin", tmp_path / "data", address)
    assert [path.name for path in built] == ["a.flac", "b.flac"]
    assert server.asked == ["/me/strings/abc/a phrase.wav"]
    audio, rate = soundfile.read(built[1])
    assert rate == 22_050
    assert len(audio) == pytest.approx(22_050, abs=10)
    expected = 0.75 * phrases[0].audio[44_100 : 44_100 + len(audio)]
    inner = slice(200, -200)
    assert np.corrcoef(audio[inner], expected[inner])[0, 1] > 0.99

    built[0].unlink()
    download.download("violin", tmp_path / "data", address)
    assert len(server.asked) == 1  # the original was kept
    assert built[0].exists()


def test_the_command_shows_the_licences_before_it_downloads(own_original, serve, tmp_path, capsys):
    server, address = serve(own_original)
    assert main(["download", "--domain", "violin", "--data", str(tmp_path / "data"), "--source", address]) == 0
    said = capsys.readouterr().out
    assert said.index("John Garner") < said.index("2 recordings are in")
    assert len(server.asked) == 1


def test_an_original_that_differs_from_the_manifest_is_refused(own_original, serve, tmp_path):
    _, address = serve(own_original)
    original = next(own_original.rglob("*.wav"))
    original.write_bytes(original.read_bytes()[:-10])
    with pytest.raises(ValueError, match="not the file that the manifest names"):
        download.download("violin", tmp_path / "data", address)
    assert not list((tmp_path / "data").rglob("*.flac"))


def test_a_source_that_cannot_be_reached_is_named(own_original, tmp_path):
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:9.*run the command again"):
        download.download("violin", tmp_path / "data", "http://127.0.0.1:9/")


@pytest.mark.skipif(not ORIGINALS.is_dir(), reason="needs the original recordings")
@pytest.mark.parametrize("domain", ["violin", "trumpet", "inputs"])
def test_rebuilt_files_are_those_that_the_models_trained_on(domain, serve, tmp_path, monkeypatch):
    server, address = serve(ORIGINALS)
    rows = [
        row
        for row in manifest(domain)
        if (ORIGINALS / row["source_repo"] / row["source_commit"] / row["source_path"]).is_file()
    ]
    monkeypatch.setattr(download, "manifest", lambda _: rows)
    built = download.download(domain, tmp_path, address)
    assert len(built) == len(rows) > 0
    assert len(server.asked) == len({row["source_path"] for row in rows})
    for path in built:
        rebuilt, original = (
            soundfile.read(folder / path.relative_to(tmp_path))[0] for folder in (tmp_path, SHARED_DATA)
        )
        assert len(rebuilt) == len(original), path
        assert np.abs(rebuilt - original).max() < 3 / 32_768, path  # three steps of 16 bits


def test_the_manifest_splits_whole_files_and_names_every_maker():
    rows = manifest("violin")
    assert {row["split"] for row in rows} == {"train", "valid", "test"}
    assert len({row["file"] for row in rows}) == len(rows) == 657
    assert any("MinJi Kim" in line for line in credit(row["file"] for row in rows))
    with pytest.raises(ValueError, match="cello"):
        manifest("kazoo")


def test_recordings_that_the_manifest_does_not_list_are_credited_to_the_reader():
    assert credit(["mine/a.wav"]) == ["your own recordings, 1 recording"]
