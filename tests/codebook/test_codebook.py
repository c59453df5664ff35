import io
import os
from pathlib import Path

import numpy as np
import pytest

import timbrelib
from timbrelib import codebook
from timbrelib.descriptors import DESCRIPTORS, Descriptor, measure


def test_the_table_has_a_row_a_code_and_a_column_a_descriptor(violin_table):
    assert violin_table.dtype.names == ("code", *DESCRIPTORS, "voicing", "use")
    np.testing.assert_array_equal(violin_table["code"], np.arange(1024))
    for name in set(DESCRIPTORS) - {"fundamental"}:
        assert np.isfinite(violin_table[name]).all()


def test_the_table_says_what_a_decoded_code_measures(violin, violin_table):
    for code in (3, 500, 1000):
        sound = violin.decode(np.full(40, code))
        for name in ("centroid", "bandwidth", "rolloff"):
            measured = np.mean(measure(sound, name)[10:-10])
            assert measured == pytest.approx(violin_table[name][code], rel=0.03), (code, name)


def test_only_clearly_pitched_codes_have_a_fundamental(violin_table):
    pitched = np.isfinite(violin_table["fundamental"])
    assert 600 < pitched.sum() < 1024
    assert violin_table["voicing"][pitched].min() >= 0.9
    assert violin_table["fundamental"][pitched].min() > 185  # the open G string is 196 Hz


@pytest.mark.parametrize(("name", "highest"), [("singing", 1100), ("horn", 1000), ("cello", 3000), ("trumpet", 2200)])
def test_no_map_has_notes_that_the_timbre_has_not(name, highest):
    _, notes = codebook.values(timbrelib.analyse_codebook(timbrelib.load_model(name)), "fundamental")
    assert notes.max() < highest  # Hz; rumble and dull sounds have ripples near lag zero, at 4 kHz


def test_the_second_analysis_comes_from_the_cache_and_is_the_same(small):
    model, _ = small
    home = Path(os.environ["XDG_CACHE_HOME"]) / "timbrelib"
    before = set(home.glob("*.npy"))
    first = timbrelib.analyse_codebook(model)
    (entry,) = set(home.glob("*.npy")) - before
    stamp = entry.stat().st_mtime_ns
    second = timbrelib.analyse_codebook(model)
    assert entry.stat().st_mtime_ns == stamp
    assert first.tobytes() == second.tobytes() == timbrelib.analyse_codebook(model, cache=False).tobytes()


@pytest.fixture
def cached(small, tmp_path, monkeypatch):
    """A small model, its table, and the only file of a cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    table = timbrelib.analyse_codebook(small[0])
    (path,) = (tmp_path / "timbrelib").iterdir()
    return small[0], table, path


def claiming(rows: int, like: np.ndarray) -> bytes:
    """A .npy of three rows whose header claims more of them."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, np.lib.format.header_data_from_array_1_0(like) | {"shape": (rows,)})
    return content.getvalue() + bytes(3 * like.itemsize)


def saved(table: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, table)
    return content.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda table: saved(table)[:100],
        lambda table: saved(table) + b"x",
        lambda table: claiming(10**12, table),
        lambda table: saved(table[["code", "centroid", "use"]]),
        lambda table: saved(table[:-1]),
        lambda table: saved(table[::-1]),
        lambda table: saved(table.astype(object)),
        lambda table: b"PK\x03\x04" + saved(table)[4:],
    ],
    ids=["cut", "longer", "claiming 10**12 rows", "lacking columns", "lacking a row", "turned", "pickled", "zipped"],
)
def test_a_damaged_cache_is_made_again(cached, damage, caplog):
    model, table, path = cached
    path.write_bytes(damage(table))
    assert timbrelib.analyse_codebook(model).tobytes() == table.tobytes()
    assert "damaged" in caplog.text
    assert path.read_bytes() == saved(table)


def test_a_descriptor_that_was_added_since_is_in_the_table(cached, monkeypatch):
    model, table, _ = cached
    monkeypatch.setitem(DESCRIPTORS, "peak", Descriptor("", False, lambda spectrum: spectrum.max(axis=1)))
    assert "peak" in timbrelib.analyse_codebook(model).dtype.names
    monkeypatch.delitem(DESCRIPTORS, "peak")
    assert timbrelib.analyse_codebook(model).tobytes() == table.tobytes()


def test_without_a_folder_for_the_cache_the_table_is_made_with_a_warning(small, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(timbrelib.analyse_codebook(small[0])) == 64
    assert "not kept" in caplog.text


def test_excitations_make_different_tables_and_unknown_ones_are_refused(small):
    model, _ = small
    locked, noise = (timbrelib.analyse_codebook(model, excitation=name) for name in ("locked", "noise"))
    assert not np.array_equal(locked["centroid"], noise["centroid"])
    with pytest.raises(ValueError, match="locked, noise"):
        timbrelib.analyse_codebook(model, excitation="hum")


def test_neighbours_that_share_their_value_agree():
    grid = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)  # (400, 2)
    assert codebook.neighbour_agreement(grid, grid[:, 0]) > 0.95
    shuffled = np.random.default_rng(0).permutation(grid[:, 0])
    assert codebook.neighbour_agreement(grid, shuffled) < 0.2
    line = np.arange(50.0)[:, None] ** 1.01
    assert codebook.neighbour_step(line, np.arange(50.0)) == pytest.approx(1)


def test_the_projection_keeps_the_two_widest_directions(violin):
    points, explained = codebook.project(violin)
    assert points.shape == (1024, 2)
    variance = violin.codebook.numpy().astype(np.float64).var(axis=0, ddof=1).sum()
    np.testing.assert_allclose(points.var(axis=0, ddof=1) / variance, explained, rtol=1e-6)
    assert explained[0] >= explained[1] > 0


def test_the_range_of_brightness_at_every_pitch_is_the_common_one():
    table = np.zeros(400, dtype=[("fundamental", float), ("centroid", float)])
    table["fundamental"] = np.geomspace(200, 400, 400)
    table["centroid"] = np.tile(np.linspace(0, 100, 100), 4) + np.repeat([0, 10, 20, 30], 100)
    low, high = codebook.joint_range(table, "centroid", "fundamental", 200, 400)
    assert (low, high) == (pytest.approx(30 + 5, abs=1), pytest.approx(100 - 5, abs=1))


def test_the_fullest_octave_begins_at_a_code_and_holds_the_most():
    table = np.zeros(9, dtype=[("code", int), ("fundamental", float)])
    table["fundamental"] = [100, np.nan, 150, 300, 310, 400, 600, 601, 1300]
    assert codebook.fullest_octave(table) == (300, 600)


@pytest.mark.parametrize("shift", [200, np.nan])
def test_descriptors_that_exclude_each_other_have_no_common_range(shift):
    table = np.zeros(400, dtype=[("fundamental", float), ("centroid", float)])
    table["fundamental"] = np.geomspace(200, 400, 400)
    table["centroid"] = np.tile(np.linspace(0, 100, 100), 4) + np.repeat([0, 0, 0, shift], 100)
    with pytest.raises(ValueError, match="narrow that"):
        codebook.joint_range(table, "centroid", "fundamental", 200, 400)
