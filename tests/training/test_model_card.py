import hashlib
import json
import re
import shutil

import numpy as np
import pytest
import soundfile

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.cli import main
from timbrelib.model.checkpoint import load_card
from timbrelib.model.registry import shipped_folder, shipped_models
from timbrelib.training.card_text import card_text, train_command
from timbrelib.training.config import FORMER_NAMES
from timbrelib.training.model_card import evaluate, measure_sounds, update_card

SECTIONS = ["Intended use", "Limits", "Scores against real recordings", "Data", "Training", "Licence"]


def test_a_card_with_the_setting_names_of_version_0_1_is_read_and_updated(tmp_path, phrases):
    folder = shutil.copytree(shipped_folder() / "violin", tmp_path / "old")
    present = load_card(folder)
    former = {new: old for old, new in FORMER_NAMES.items()}
    training = {former.get(name, name): value for name, value in present["training"].items()}
    (folder / "card.json").write_text(json.dumps(present | {"training": training}))
    assert load_card(folder)["training"] == training

    recordings = tmp_path / "violin"
    recordings.mkdir()
    for number, phrase in enumerate(phrases[:2]):
        soundfile.write(recordings / f"{number}.wav", phrase.audio[number * 100 :], SAMPLE_RATE)
    splits = {"train": [digest(recordings / "0.wav")], "valid": [], "test": [digest(recordings / "1.wav")]}
    (folder / "card.json").write_text(json.dumps(present | {"training": training, "splits": splits}))
    scores = evaluate(folder, recordings, write=True)
    assert scores["test_recordings"] == 1
    updated = load_card(folder)
    assert updated == present | {"scores": scores, "noise": 0.75, "noise_below_fundamental": True, "splits": splits}
    assert (folder / "README.md").read_text() == card_text(updated)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def test_recordings_that_trained_never_test_whatever_is_added_or_renamed(tmp_path, phrases, caplog):
    """A split by the order of names would move trained recordings into the test split."""
    folder = shutil.copytree(shipped_folder() / "violin", tmp_path / "mine")
    recordings = tmp_path / "renamed"
    recordings.mkdir()
    for number, phrase in enumerate(phrases[:4]):
        soundfile.write(recordings / f"{number}.wav", phrase.audio, SAMPLE_RATE)
    trained, held = (digest(recordings / f"{number}.wav") for number in range(2))
    card = load_card(folder) | {"splits": {"train": [trained], "valid": [], "test": [held]}}
    (folder / "card.json").write_text(json.dumps(card))
    assert evaluate(folder, recordings)["test_recordings"] == 1
    assert "not scored, since the training did not know them: renamed/2.wav, renamed/3.wav" in caplog.text
    (recordings / "1.wav").unlink()
    with pytest.raises(ValueError, match=r"it is not known that any recording in .* was held back"):
        evaluate(folder, recordings)


def test_a_shipped_model_is_not_tested_on_recordings_of_which_nothing_is_known(tmp_path, phrases):
    (tmp_path / "violin").mkdir()
    soundfile.write(tmp_path / "violin" / "mine.wav", phrases[0].audio, SAMPLE_RATE)
    with pytest.raises(ValueError, match="it is not known that any recording"):
        evaluate("violin", tmp_path / "violin")


def test_a_card_says_how_much_noise_is_played_and_leaves_out_a_memory_that_was_not_measured():
    card = load_card("trumpet") | {"noise": 0.75}
    assert "excitation is 0.75 (0: partials alone, 1: as in the recordings), little of it below" in prose(card)
    assert "1: as in the recordings)." in prose(card | {"noise_below_fundamental": True})
    card["training"] |= {"memory_gb": 1.5}
    assert "minutes and 1.5 GB of memory on " in prose(card)
    card["training"] |= {"memory_gb": None}
    assert "GB" not in prose(card)


def prose(card):
    """Text of a card without its line breaks."""
    return " ".join(card_text(card).split())


@pytest.mark.parametrize("name", shipped_models())
def test_a_shipped_card_is_what_this_version_writes_from_its_stored_scores(name):
    card, text = load_card(name), (shipped_folder() / name / "README.md").read_text()
    assert text == card_text(card)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert len(text.split()) <= 600
    size = (shipped_folder() / name / "model.safetensors").stat().st_size / 1e6
    assert card["size_mb"] == pytest.approx(size, abs=0.1)
    assert all(
        f"{measure}_{kind}" in card["scores"] for measure in ("jumps", "heard_as") for kind in ("real", "decoded")
    )


def test_a_card_has_every_measure_of_recordings_and_reconstructions_side_by_side():
    card = load_card("violin")
    card["scores"] |= {
        "hnr_db_real": [1, 2, 3], "hnr_db_decoded": [4, 5, 6], "flux_real": [0.1, 0.2, 0.3],
        "flux_decoded": [0.4, 0.5, 0.6], "jumps_real": 7, "jumps_decoded": 8, "heard_as_real": 0.9,
        "heard_as_decoded": 0.8, "lsd_db": 10,
    }  # fmt: skip
    rows = re.findall(r"^\| (?!measure)(.+) \| (.+) \| (.+) \|$", card_text(card), re.MULTILINE)
    assert [row[1:] for row in rows] == [
        ("2.0 dB (1.0 to 3.0)", "5.0 dB (4.0 to 6.0)"),
        ("0.200 (0.100 to 0.300)", "0.500 (0.400 to 0.600)"),
        ("7.00", "8.00"),
        ("90 %", "80 %"),
        ("0 dB", "10.00 dB"),
    ]


def test_a_card_without_the_newer_measures_leaves_them_out():
    card = load_card("violin")
    card["scores"] = {key: value for key, value in card["scores"].items() if not key.startswith(("jumps", "heard"))}
    card["data"] = {key: value for key, value in card["data"].items() if key not in ("valid_minutes", "test_minutes")}
    assert "pitch jumps" not in prose(card)
    assert "classifier" not in prose(card)
    assert "22.9 minutes train the model. Sources" in prose(card)
    assert "Measured on 68 recordings that did not" in prose(card)


def test_the_limits_on_a_card_are_those_of_the_codebook_and_of_the_recordings(violin):
    card = load_card("violin")
    for name, measured in card["ranges"].items():
        assert measured == pytest.approx(violin.codebook.percentile_range(name), rel=0.01)
    card["ranges"] = {"fundamental": [196, 2093], "centroid": [900, 4100]}
    assert "Pitches from G3 to C7 (196 to 2,093 Hz) and a brightness (spectral centroid) of 900 to 4,100" in prose(card)
    assert "22.9 minutes of 6 makers of recordings" in prose(card)
    card |= {"ranges": {"centroid": [900, 4100]}, "sources": ["your own recordings, 3 recordings"]}
    card["data"] |= {"minutes": 1.9}
    assert "No clear pitch, and a brightness" in prose(card)
    assert "It learned from 1.9 minutes of sound;" in prose(card)
    assert "So little sound holds few notes" in prose(card)


def test_a_card_is_written_again_without_recordings_and_keeps_its_scores(tmp_path):
    folder = shutil.copytree(shipped_folder() / "female", tmp_path / "mine")
    card = load_card(folder)
    stored = {key: value for key, value in card.items() if key not in ("ranges", "size_mb", "sizes")}
    stored["scores"] = card["scores"] | {"lsd_db": 3.21}
    (folder / "card.json").write_text(json.dumps(stored))
    (folder / "README.md").unlink()
    assert main(["evaluate", str(folder), "--card"]) == 0
    assert load_card(folder) == stored | {key: card[key] for key in ("ranges", "size_mb", "sizes")}
    assert "| 3.21 dB |" in (folder / "README.md").read_text()
    before = [(folder / name).read_bytes() for name in ("README.md", "card.json")]
    update_card(folder)
    assert [(folder / name).read_bytes() for name in ("README.md", "card.json")] == before


def test_jumps_are_weighted_by_the_duration_of_the_sounds_that_have_a_pitch():
    def tone(*notes):
        time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
        return np.concatenate([sum(np.sin(2 * np.pi * k * f0 * time) / k for k in range(1, 9)) for f0 in notes]) / 10

    steady, octaves = tone(220), tone(220, 440, 220, 440)
    alone = measure_sounds([octaves], None)
    assert alone["jumps"] > 0.5
    assert "heard_as" not in alone
    noise = np.random.default_rng(0).normal(size=SAMPLE_RATE) / 10
    together = measure_sounds([steady, octaves, noise], None)
    assert together["jumps"] == pytest.approx(alone["jumps"] * 4 / 5, abs=0.01)
    assert "jumps" not in measure_sounds([noise], None)
    assert 0 <= measure_sounds([steady], "violin")["heard_as"] <= 1


def test_the_card_names_the_command_that_repeats_the_training():
    card = load_card("trumpet")
    assert train_command(card) == (
        "timbrelib train FOLDER/trumpet --name my_trumpet --shifts -1 0 1 --n-codes 4096 --width 320"
    )
    card |= {"name": "my sound", "training": card["training"] | {"processes": 2, "kmeans_frames": 2000}}
    assert train_command(card) == (
        "torchrun --nproc-per-node 2 -m timbrelib train FOLDER/trumpet --name 'my sound' "
        "--shifts -1 0 1 --kmeans-frames 2000 --n-codes 4096 --width 320"
    )
