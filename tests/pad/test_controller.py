import io
import logging
import threading
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from conftest import sine
from matplotlib import pyplot as plt

import timbrelib
from timbrelib.audio.frames import frame_gain
from timbrelib.control.scores import within_cents
from timbrelib.control.serialization import Series
from timbrelib.descriptors import measure_audio, measure_quickly
from timbrelib.pad import controller
from timbrelib.pad.axes import LOUDEST, axis
from timbrelib.pad.controller import Sketch

SECONDS = 130  # frames of three of them


@pytest.fixture(scope="module")
def brightness():
    return timbrelib.target("sin", "centroid", 1200, 3500, SECONDS)


@pytest.fixture(scope="module")
def heard(violin, violin_table, brightness):
    made = Sketch(violin, violin_table, {"centroid": brightness, "gain": np.linspace(0, 0.1, SECONDS)})
    return made, *controller.hear(made)


def test_a_drawing_is_heard_as_render_makes_it(violin, violin_table, brightness, heard):
    _, rendering, said = heard
    expected = timbrelib.render(violin, violin_table, {"centroid": brightness}, np.linspace(0, 0.1, SECONDS))
    np.testing.assert_array_equal(rendering.audio, expected.audio)
    np.testing.assert_array_equal(rendering.measured["centroid"], expected.measured["centroid"])
    assert said == ""


def test_what_the_codebook_does_not_reach_is_clipped_and_told(violin, violin_table):
    beyond = np.linspace(3000, 9000, SECONDS)
    rendering, said = controller.hear(Sketch(violin, violin_table, {"centroid": beyond}))
    top = violin_table["centroid"].max()
    assert rendering.targets["centroid"].max() == top
    assert f"in {np.sum(beyond > top)} of 130 frames and was clipped there" in said


def test_what_the_library_logs_is_overheard_and_the_log_is_left_alone():
    logger = logging.getLogger("timbrelib")
    before = list(logger.handlers)
    with controller.captured_log() as records:
        logging.getLogger("timbrelib.control").warning("wrong in %d frames", 7)
    assert [record.getMessage() for record in records] == ["wrong in 7 frames"]
    assert logger.handlers == before


def test_settings_reach_the_search(violin, violin_table, brightness):
    curves = {"fundamental": np.geomspace(300, 500, SECONDS), "centroid": brightness}
    rendering, _ = controller.hear(Sketch(violin, violin_table, curves, "noise", smoothness=2.0, weight=0.1))
    assert rendering.search == {"smoothness": 2.0, "rounds": 3, "weights": {"centroid": 0.1}}
    assert rendering.excitation == "noise"


@pytest.mark.parametrize(("shape", "excitation"), [("sin", "locked"), ("exp", "locked"), ("sin", "noise")])
def test_the_quick_measure_of_pitch_agrees_with_the_one_that_scores(violin, shape, excitation):
    table = timbrelib.analyse_codebook(violin, excitation)
    target = timbrelib.target(shape, "fundamental", 208, 1177, 258)
    rendering, _ = controller.hear(Sketch(violin, table, {"fundamental": target}, excitation))
    quick, slow = rendering.measured["fundamental"], measure_audio(rendering.audio, ["fundamental"])["fundamental"]
    assert within_cents(quick, slow[:258], 50) > 99
    assert within_cents(quick, target, 50) == pytest.approx(within_cents(slow[:258], target, 50), abs=1)


def test_the_quick_measure_finds_no_pitch_in_noise_or_silence():
    noise = np.random.default_rng(0).standard_normal(22_050).astype(np.float32)
    for sound in (noise, 1e-6 * sine(440)):
        assert np.isnan(measure_quickly(sound, ["fundamental"])["fundamental"]).all()


def test_what_is_shown_is_the_sound_and_the_curves_on_their_axes(violin_table, heard):
    _, rendering, _ = heard
    axes = [axis(violin_table, "centroid"), axis(violin_table, "gain")]
    shown = controller.shown(rendering, axes)
    samples, rate = soundfile.read(io.BytesIO(shown["sound"]))
    assert rate == 22_050
    np.testing.assert_allclose(samples, rendering.audio, atol=1 / 32_000)
    centroid, gain = shown["lanes"]
    assert gain is None
    np.testing.assert_allclose(centroid["selected"], axes[0].heights(rendering.selected["centroid"]), atol=1e-4)
    measured = rendering.measured["centroid"]
    assert [place is None for place in centroid["measured"]] == np.isnan(measured).tolist()
    assert centroid["measured"][5] == pytest.approx(axes[0].heights(measured[5]), abs=1e-4)
    assert centroid["error"].endswith(f"{controller.say_rendering(rendering)['centroid'][-6:]}")


def test_the_picture_is_a_spectrogram_with_low_frequencies_below():
    picture = plt.imread(io.BytesIO(controller.picture(sine(11_025 / 4, 2.0))))
    assert picture.shape == (controller.ROWS, 87, 4)
    brightest = picture[:, 40, :3].sum(axis=1).argmax()
    assert 1 - brightest / controller.ROWS == pytest.approx(0.25, abs=0.01)


def test_the_picture_of_silence_is_dark():
    picture = plt.imread(io.BytesIO(controller.picture(np.zeros(22_050, np.float32))))
    assert np.ptp(picture[..., :3]) < 0.1


def test_a_recording_gives_pitch_and_loudness(violin_table):
    tone = sum(sine(110 * n, 2.0, 0.3 / n) for n in range(1, 8)) * np.linspace(0.1, 1, 44_100, dtype=np.float32)
    curves, said = controller.followed(tone, violin_table, ["fundamental", "gain"])
    assert said == "the fundamental is moved by +1 octaves"
    assert np.median(curves["fundamental"]) == pytest.approx(220, rel=0.005)
    expected = frame_gain(tone)
    np.testing.assert_allclose(curves["gain"][10:-10], (expected * LOUDEST / expected.max())[10:-10], rtol=0.05)


def test_noise_has_a_brightness_though_it_has_no_pitch(violin_table):
    noise = np.random.default_rng(0).standard_normal(22_050).astype(np.float32) * 0.1
    curves, said = controller.followed(noise, violin_table, ["centroid"])
    assert len(curves["centroid"]) == 44
    assert "and was moved by" in said
    with pytest.raises(ValueError, match="no pitch that could be followed"):
        controller.followed(noise, violin_table, ["fundamental"])


def test_a_recording_too_long_is_cut_and_one_too_short_or_silent_is_refused(violin_table):
    curves, said = controller.followed(sine(880, 61.0), violin_table, ["centroid"])
    assert len(curves["centroid"]) == 2584
    assert said.startswith("only the first 60 s of the recording are taken")
    with pytest.raises(ValueError, match=r"lasts 0\.20 s"):
        controller.followed(sine(880, 0.2), violin_table, ["centroid"])
    with pytest.raises(ValueError, match="no centroid anywhere"):
        controller.followed(np.zeros(22_050, np.float32), violin_table, ["centroid"])


def test_a_sketch_is_saved_whole_and_never_over_another(tmp_path, heard):
    made, rendering, _ = heard
    paths = controller.save_drawing(tmp_path, "a hill", made, rendering)
    assert [path.name for path in paths] == [f"a hill.{kind}" for kind in ("wav", "csv", "json", "png")]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert plt.get_fignums() == []
    series = timbrelib.load_rendering(paths[2])
    np.testing.assert_array_equal(series.codes, rendering.codes)
    assert series.search == rendering.search
    before = paths[0].read_bytes()
    paths[3].unlink()
    with pytest.raises(FileExistsError, match=r"a hill\.wav is there already"):
        controller.save_drawing(tmp_path, "a hill", made, rendering)
    assert not paths[3].exists()
    assert controller.save_drawing(tmp_path, "a hill", made, rendering, replacing=True) == paths
    assert paths[0].read_bytes() == before
    with pytest.raises(ValueError, match="no name for a file"):
        controller.save_drawing(tmp_path, "../hill", made, rendering)


def test_a_saved_fundamental_is_measured_by_the_estimator_that_scores(tmp_path, violin, violin_table):
    made = Sketch(violin, violin_table, {"fundamental": np.geomspace(300, 500, 60)})
    rendering, _ = controller.hear(made)
    _, _, json_path, _ = controller.save_drawing(tmp_path, "slide", made, rendering)
    written = timbrelib.load_rendering(json_path).measured["fundamental"]
    expected = measure_audio(rendering.audio, ["fundamental"])["fundamental"]
    np.testing.assert_allclose(written, expected[:60], rtol=1e-5)
    assert not np.allclose(written, rendering.measured["fundamental"], rtol=1e-5)


def test_a_sound_too_loud_for_a_file_is_told_of(violin, violin_table):
    loud = Sketch(violin, violin_table, {"flatness": np.full(60, 0.0001), "gain": np.full(60, 0.4)})
    rendering, _ = controller.hear(loud)
    assert "would clip and is lowered by" in controller.shown(rendering, [axis(violin_table, "flatness")])["said"]


def test_another_threads_messages_are_not_overheard():
    with controller.captured_log() as records:
        other = threading.Thread(target=lambda: logging.getLogger("timbrelib").warning("elsewhere"))
        other.start()
        other.join()
    assert records == []


def series(targets, gain=0.05, **search):
    curves = {name: np.full(30, 1500.0) for name in targets}
    search = {"smoothness": 4.0, "rounds": 3, "weights": {}} | search
    return Series("violin", "0", np.zeros(30, int), np.full(30, gain), "locked", search, curves, curves, curves)


@pytest.mark.parametrize(
    ("opened", "lanes", "settings", "says"),
    [
        (series(["centroid"]), ["centroid"], (4.0, 1.0), ""),
        (series(["centroid"], 0.02), ["centroid", "gain"], (4.0, 1.0), ""),
        (series(["centroid"], 0.2), ["centroid", "gain"], (4.0, 1.0), "without its gain above 0.1"),
        (series(["fundamental", "centroid"], 0.02), ["fundamental", "centroid"], (4.0, 1.0), "without its gain"),
        (series(["centroid"], rounds=8, smoothness=2), ["centroid"], (2, 1.0), "without its 8 rounds"),
        (series(["fundamental", "centroid"], weights={"centroid": 0.5}), ["fundamental", "centroid"], (4.0, 0.5), ""),
        (series(["fundamental", "centroid"], weights={"fundamental": 2}), ["fundamental", "centroid"], (4.0, 0.5), ""),
        (
            replace(series(["centroid"]), search=None),
            ["centroid"],
            (4.0, 1.0),
            "its codes, which were not searched for",
        ),
    ],
)
def test_a_series_is_reopened_as_far_as_there_is_a_place_for_it(opened, lanes, settings, says):
    curves, *controls, said = controller.settings_of(opened)
    assert list(curves) == lanes
    assert tuple(controls) == settings
    assert (says in said) if says else said == ""
