import io

import numpy as np
import pytest
from conftest import model_of, tone, unit_spectra

import timbrelib
from timbrelib.codebook import analysis
from timbrelib.descriptors import DESCRIPTORS, Descriptor, measure


def test_the_codebook_has_one_row_per_code_and_one_column_per_descriptor(violin):
    assert tuple(violin.codebook) == ("code", *DESCRIPTORS, "periodicity", "ambiguity", "count")
    assert len(violin.codebook) == violin.model.config.n_codes
    np.testing.assert_array_equal(violin.codebook["code"], np.arange(len(violin.codebook)))
    for name in set(DESCRIPTORS) - {"fundamental"}:
        assert np.isfinite(violin.codebook[name]).all()


def test_codes_of_the_lowest_and_the_highest_notes_have_their_pitch():
    notes = 41.2, 58.3, 2793.8, 3520.0, 4186.0  # E1, A#1, F7, A7, C8
    model = model_of(unit_spectra(*(tone(f0) for f0 in notes)))
    found = timbrelib.analyse_codebook(model, cache=False)["fundamental"]
    np.testing.assert_allclose(1200 * np.log2(found / notes), 0, atol=20)


def test_the_codebook_has_the_measured_values_of_a_decoded_code(violin, chromatic):
    for timbre, tolerance in ((chromatic, 0.03), (violin, 0.1)):  # noise fluctuates
        for code in (3, 30, 60):
            sound = timbre.model.decode(np.full(80, code))
            for name, values in measure(sound, ["centroid", "bandwidth", "rolloff"]).items():
                assert np.mean(values[10:-10]) == pytest.approx(timbre.codebook[name][code], rel=tolerance), (
                    code,
                    name,
                )


def test_only_clearly_pitched_codes_have_a_fundamental(violin):
    pitched = np.isfinite(violin.codebook["fundamental"])
    assert 0.6 < pitched.mean() < 1
    assert violin.codebook["periodicity"][pitched].min() >= 0.9
    assert violin.codebook["fundamental"][pitched].min() > 185  # the open G string is 196 Hz


@pytest.mark.parametrize(("name", "highest"), [("singing", 1100), ("horn", 1000), ("cello", 3000), ("trumpet", 2200)])
def test_no_code_has_a_pitch_outside_the_range_of_the_instrument(name, highest):
    _, f0 = timbrelib.load(name).codebook.values("fundamental")
    assert f0.max() < highest  # Hz; rumble and dull sounds have ripples near lag zero, at 4 kHz


def test_the_second_analysis_comes_from_the_cache_and_is_the_same(small, tmp_path, monkeypatch):
    model, _ = small
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = timbrelib.analyse_codebook(model)
    (entry,) = (tmp_path / "timbrelib").iterdir()
    stamp = entry.stat().st_mtime_ns
    second = timbrelib.analyse_codebook(model)
    assert entry.stat().st_mtime_ns == stamp
    fresh = timbrelib.analyse_codebook(model, cache=False)
    assert first.columns.tobytes() == second.columns.tobytes() == fresh.columns.tobytes()


@pytest.fixture
def cached(small, tmp_path, monkeypatch):
    """A small model, the columns of its codebook, and the only file of a cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    columns = timbrelib.analyse_codebook(small[0]).columns
    (path,) = (tmp_path / "timbrelib").iterdir()
    return small[0], columns, path


def claiming(rows: int, like: np.ndarray) -> bytes:
    """A .npy of three rows whose header claims more."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, np.lib.format.header_data_from_array_1_0(like) | {"shape": (rows,)})
    return content.getvalue() + bytes(3 * like.itemsize)


def saved(columns: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, columns)
    return content.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda columns: saved(columns)[:100],
        lambda columns: saved(columns) + b"x",
        lambda columns: claiming(10**12, columns),
        lambda columns: saved(columns[["code", "centroid", "count"]]),
        lambda columns: saved(columns[:-1]),
        lambda columns: saved(columns[::-1]),
        lambda columns: saved(columns.astype(object)),
        lambda columns: b"PK\x03\x04" + saved(columns)[4:],
    ],
    ids=["cut", "longer", "claiming 10**12 rows", "fewer columns", "fewer rows", "reversed", "pickled", "zipped"],
)
def test_a_damaged_table_is_measured_again(cached, damage, caplog):
    model, columns, path = cached
    path.write_bytes(damage(columns))
    assert timbrelib.analyse_codebook(model).columns.tobytes() == columns.tobytes()
    assert "damaged" in caplog.text
    assert path.read_bytes() == saved(columns)


def test_a_descriptor_added_since_is_in_the_codebook(cached, monkeypatch):
    model, columns, _ = cached
    monkeypatch.setitem(DESCRIPTORS, "peak", Descriptor("", False, lambda spectrum: spectrum.max(axis=1)))
    assert "peak" in list(timbrelib.analyse_codebook(model))
    monkeypatch.delitem(DESCRIPTORS, "peak")
    assert timbrelib.analyse_codebook(model).columns.tobytes() == columns.tobytes()


def test_a_descriptor_that_is_defined_again_is_measured_again(cached, monkeypatch):
    model, *_ = cached
    for factor in (2, 3):
        source = f"def scaled(spectrum): return {factor} * spectrum.max(axis=1)"
        exec(source, scope := {})  # as a notebook cell that is edited and run again
        monkeypatch.setitem(DESCRIPTORS, "peak", Descriptor("", False, scope["scaled"]))
        columns = timbrelib.analyse_codebook(model)["peak"]
        plain = timbrelib.analyse_codebook(model, cache=False)["peak"]
        np.testing.assert_array_equal(columns, plain)


def test_without_a_folder_for_the_cache_the_codebook_is_measured_with_a_warning(small, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(timbrelib.analyse_codebook(small[0])) == 64
    assert "could not be cached" in caplog.text


def test_excitations_give_different_codebooks_and_unknown_ones_are_refused(small):
    model, _ = small
    mixed, locked, noise = (timbrelib.analyse_codebook(model, name) for name in ("mixed", "locked", "noise"))
    assert [codebook.excitation for codebook in (mixed, locked, noise)] == ["mixed", "locked", "noise"]
    assert len({codebook["centroid"].tobytes() for codebook in (mixed, locked, noise)}) == 3
    with pytest.raises(ValueError, match="mixed, locked, noise"):
        timbrelib.analyse_codebook(model, excitation="hum")


def test_a_codebook_is_measured_with_its_noise():
    """A tone with half of its energy in noise is less periodic, the more noise is played."""
    model = model_of(unit_spectra(tone(300), tone(400)), 0.7)
    periodicity, noises = [], (0, 0.25, 1)
    for noise in noises:
        codebook = timbrelib.analyse_codebook(model, noise=noise)  # from a cache of its own
        assert codebook.noise == noise
        periodicity.append(codebook["periodicity"][0])
    assert (np.diff(periodicity) < 0).all()
    assert timbrelib.analyse_codebook(model).noise == model.noise
    without_noise, locked = (timbrelib.analyse_codebook(model, name, 0).columns for name in ("mixed", "locked"))
    np.testing.assert_array_equal(without_noise, locked)


@pytest.mark.parametrize("noise", [-0.1, 1.1, np.nan])
def test_an_amount_of_noise_out_of_range_is_refused(small, noise):
    with pytest.raises(ValueError, match=f"the noise cannot be {noise}: give a number from 0"):
        timbrelib.analyse_codebook(small[0], noise=noise)


def test_a_codebook_has_the_fundamental_and_brightness_of_its_sounds(chromatic):
    notes = np.repeat(300 * 2 ** (np.arange(13) / 12), 5)
    np.testing.assert_allclose(1200 * np.log2(chromatic.codebook["fundamental"] / notes), 0, atol=2)
    assert (np.diff(chromatic.codebook["centroid"].reshape(13, 5), axis=1) > 0).all()  # (notes, brightnesses)


def test_blocks_of_codes_do_not_change_the_measurements(small, monkeypatch):
    model, _ = small
    whole = timbrelib.analyse_codebook(model, "locked", cache=False)
    monkeypatch.setattr(analysis, "BLOCK", 24)
    blocks = timbrelib.analyse_codebook(model, "locked", cache=False)
    for name in DESCRIPTORS:
        np.testing.assert_allclose(blocks[name], whole[name], rtol=0.2)  # phases differ where a block starts


def test_another_draw_of_noise_hardly_changes_the_measurements(small, monkeypatch):
    model, _ = small
    whole = timbrelib.analyse_codebook(model, cache=False)
    monkeypatch.setattr(analysis, "BLOCK", 24)  # from the second block on, codes have other noise
    blocks = timbrelib.analyse_codebook(model, cache=False)
    for name in ("centroid", "bandwidth", "fundamental"):
        assert np.nanmedian(np.abs(blocks[name] / whole[name] - 1)[24:]) < 0.1
