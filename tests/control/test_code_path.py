import numpy as np
from conftest import model_of, tone, unit_spectra

from timbrelib.audio.frames import HOP
from timbrelib.codebook.table import Codebook
from timbrelib.control.code_path import CodePath, retune, selected_values
from timbrelib.descriptors import DESCRIPTORS, measure
from timbrelib.descriptors.pitch import track_autocorrelation


def notes(*f0):
    """A codebook of given fundamentals."""
    columns = np.zeros(len(f0), dtype=[("code", int), *((name, float) for name in DESCRIPTORS)])
    columns["fundamental"] = f0
    return Codebook("notes", "locked", 0.0, columns, np.eye(len(f0)))


def cents(value, reference):
    return 1200 * np.log2(np.asarray(value) / reference)


def test_each_code_is_moved_to_the_fundamental():
    moved = retune(notes(300, 400), np.array([0, 0, 1, 1]), np.array([300, 310, 390, 410.0]), limit=100)
    np.testing.assert_allclose(moved[:, 1], cents([300, 310, 390, 410], [300, 300, 400, 400]), atol=0.01)


def test_no_code_is_moved_further_than_the_limit():
    moved = retune(notes(300, 400), np.zeros(4, int), np.array([300, 320, 330, 280.0]), limit=60)
    np.testing.assert_allclose(moved[:, 1], [0, 60, 60, -60])


def test_neighbours_are_moved_to_the_pitch_of_the_frame():
    moved = retune(notes(300, 317), np.array([0, 0, 1]), np.array([305, 309, 313.0]), limit=100)
    np.testing.assert_allclose(moved[1], cents(309, [300, 300, 317]), atol=0.01)
    np.testing.assert_allclose(moved[0], cents(305, [300, 300, 300]), atol=0.01)  # the first is its own neighbour


def test_neighbours_of_another_note_keep_their_own_pitch():
    moved = retune(notes(300, 400), np.array([0, 1]), np.array([306, 408.0]), limit=100)
    np.testing.assert_allclose(moved, np.full((2, 3), cents(306, 300)), atol=0.01)


def test_codes_stay_as_they_are_without_a_pitch_a_target_or_a_limit():
    codebook, codes = notes(300, np.nan), np.array([0, 0, 0, 1, 1])
    moved = retune(codebook, codes, np.array([306, np.nan, np.nan, 306, 306]), limit=100)
    np.testing.assert_allclose(moved[:, 1], [cents(306, 300), 0, 0, 0, 0], atol=0.01)
    assert retune(codebook, codes, np.full(5, 306.0), limit=0) is None


def test_selected_fundamentals_are_those_of_the_moved_codes():
    codebook = notes(300, 400)
    codebook["centroid"][:] = [1000, 2000]
    path = CodePath(np.array([0, 1]), np.array([[0, 50, 0], [0, -100, 0.0]]))
    selected = selected_values(codebook, path, ["fundamental", "centroid"])
    np.testing.assert_allclose(cents(selected["fundamental"], [300, 400]), [50, -100])
    np.testing.assert_array_equal(selected["centroid"], [1000, 2000])
    unmoved = selected_values(codebook, CodePath(path.codes), ["fundamental"])
    np.testing.assert_array_equal(unmoved["fundamental"], [300, 400])


def test_a_longer_path_holds_its_last_frame():
    path = CodePath(np.array([4, 7]), np.array([[1, 2, 3], [4, 5, 6.0]]), np.array([0.5, -1]))
    longer = path.longer()
    assert (len(path), len(longer)) == (2, 3)
    np.testing.assert_array_equal(longer.codes, [4, 7, 7])
    np.testing.assert_array_equal(longer.cents[1:], [[4, 5, 6], [4, 5, 6]])
    np.testing.assert_array_equal(longer.tilt, [0.5, -1, -1])
    plain = CodePath(path.codes).longer()
    assert plain.cents is plain.tilt is None


def test_a_path_is_decoded_with_its_adjustments():
    model, codes, n = model_of(unit_spectra(tone(300), tone(400))), np.zeros(50, int), 50
    moved = CodePath(codes, np.full((n, 3), 50.0)).decode(model, 0.1, "locked", 0)
    assert len(moved) == (n - 1) * HOP
    np.testing.assert_allclose(cents(track_autocorrelation(moved)[4:-4], 300), 50, atol=2)
    plain, bright = (
        measure(CodePath(codes, tilt=tilt).decode(model, 0.1, "locked", 0), ["centroid"])["centroid"][4:-4]
        for tilt in (None, np.full(n, 3.0))
    )
    assert bright.min() > 1.2 * plain.max()
