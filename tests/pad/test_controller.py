import io
import logging
import re
import threading

import numpy as np
import pytest
import soundfile
from conftest import sine
from matplotlib import pyplot as plt

from timbrelib.audio.frames import frame_gain
from timbrelib.control.scores import raw_pitch_accuracy
from timbrelib.control.search import Search
from timbrelib.descriptors.pitch import track_autocorrelation, track_pyin
from timbrelib.pad import controller
from timbrelib.pad.axes import MAX_GAIN, make_axis
from timbrelib.pad.controller import RenderRequest
from timbrelib.pad.drawing import Drawing

N_FRAMES = 130  # three seconds


@pytest.fixture(scope="module")
def brightness(violin):
    return violin.target("centroid", "sin", 1200, 3500, N_FRAMES)


@pytest.fixture(scope="module")
def rendered(violin, brightness):
    """A drawing of a centroid and a gain, rendered, and the warnings."""
    curves = {"centroid": brightness.curve, "gain": np.linspace(0, 0.1, N_FRAMES)}
    return controller.render_request(RenderRequest(violin, curves))


def test_a_drawing_is_rendered_like_its_targets(violin, brightness, rendered):
    rendering, note = rendered
    expected = violin.render(brightness, gain=np.linspace(0, 0.1, N_FRAMES))
    np.testing.assert_array_equal(rendering.audio, expected.audio)
    np.testing.assert_array_equal(rendering.measured["centroid"], expected.measured["centroid"])
    assert note == ""


def test_a_drawing_beyond_the_codebook_is_clipped_with_a_warning(violin):
    beyond = np.linspace(3000, 9000, N_FRAMES)
    rendering, note = controller.render_request(RenderRequest(violin, {"centroid": beyond}))
    top = violin.codebook["centroid"].max()
    assert rendering.targets["centroid"].max() == top
    assert f"in {np.sum(beyond > top)} of 130 frames and was clipped" in note


def test_warnings_are_captured_and_the_logger_is_restored():
    logger = logging.getLogger("timbrelib")
    before = list(logger.handlers)
    with controller.capture_log() as warnings:
        logging.getLogger("timbrelib.control").warning("wrong in %d frames", 7)
    assert warnings == ["wrong in 7 frames"]
    assert logger.handlers == before


def test_the_settings_reach_the_search(violin, brightness):
    curves = {"fundamental": np.geomspace(300, 500, N_FRAMES), "centroid": brightness.curve}
    search = Search(2.0, 1, {"centroid": 0.1}, continuity=0.5, retune=20, tilt=3)
    rendering, _ = controller.render_request(RenderRequest(violin.with_excitation("noise"), curves, search))
    assert rendering.search == search
    assert rendering.excitation == "noise"


@pytest.mark.parametrize(
    ("shape", "excitation"), [("sin", "mixed"), ("sin", "locked"), ("exp", "locked"), ("sin", "noise")]
)
def test_the_quick_pitch_estimator_agrees_with_the_one_that_scores(violin, shape, excitation):
    timbre = violin.with_excitation(excitation)
    target = timbre.target("fundamental", shape, 208, 1177, 258).curve
    rendering, _ = controller.render_request(RenderRequest(timbre, {"fundamental": target}))
    quick, slow = rendering.measured["fundamental"], track_pyin(rendering.audio)
    assert raw_pitch_accuracy(quick, slow[:258], 50) > 99
    accuracy = raw_pitch_accuracy(slow[:258], target, 50)
    assert raw_pitch_accuracy(quick, target, 50) == pytest.approx(accuracy, abs=1.5)


def test_the_quick_pitch_estimator_finds_none_in_noise_or_silence():
    noise = np.random.default_rng(0).standard_normal(22_050).astype(np.float32)
    for sound in (noise, 1e-6 * sine(440)):
        assert np.isnan(track_autocorrelation(sound)).all()


def test_the_page_receives_the_sound_and_the_curves_as_heights(violin, rendered):
    rendering, _ = rendered
    axes = [make_axis(violin.codebook, "centroid"), make_axis(violin.codebook, "gain")]
    result = controller.page_result(rendering, axes)
    samples, rate = soundfile.read(io.BytesIO(result["sound"]))
    assert rate == 22_050
    np.testing.assert_allclose(samples, rendering.audio, atol=1 / 32_000)
    centroid, gain = result["lanes"]
    level = axes[1].heights(frame_gain(rendering.audio))
    np.testing.assert_allclose(gain["measured"], level, atol=1e-4)
    assert gain["selected"] == []
    assert float(re.fullmatch(r"error ([\d.]+) dB", gain["score"])[1]) < 1
    np.testing.assert_allclose(centroid["selected"], axes[0].heights(rendering.selected["centroid"]), atol=1e-4)
    measured = rendering.measured["centroid"]
    assert [height is None for height in centroid["measured"]] == np.isnan(measured).tolist()
    assert centroid["measured"][5] == pytest.approx(axes[0].heights(measured[5]), abs=1e-4)
    assert centroid["score"] == str(rendering.score["centroid"])


def test_the_page_receives_the_lanes_in_use(violin):
    drawing = Drawing(["centroid"], {"centroid": np.full(44, 0.5), "gain": np.full(44, 0.5)})
    drawing.draw(0, np.linspace(0, 1, 44))
    sent = controller.page_drawing(drawing, violin.codebook)
    assert [lane["name"] for lane in sent["lanes"]] == ["centroid"]
    assert (sent["can_undo"], sent["can_redo"], sent["max_frequency"]) == (True, False, 11_025)
    assert sent["seconds"] == pytest.approx(43 * 512 / 22_050)


def test_the_spectrogram_has_low_frequencies_at_the_bottom():
    image = plt.imread(io.BytesIO(controller.spectrogram_png(sine(11_025 / 4, 2.0))))
    assert image.shape == (controller.ROWS, 87, 4)
    brightest = image[:, 40, :3].sum(axis=1).argmax()
    assert 1 - brightest / controller.ROWS == pytest.approx(0.25, abs=0.01)


def test_the_spectrogram_of_silence_is_dark():
    image = plt.imread(io.BytesIO(controller.spectrogram_png(np.zeros(22_050, np.float32))))
    assert np.ptp(image[..., :3]) < 0.1


def test_a_recording_gives_pitch_and_gain(violin):
    tone = sum(sine(110 * n, 2.0, 0.3 / n) for n in range(1, 8)) * np.linspace(0.1, 1, 44_100, dtype=np.float32)
    curves, note = controller.curves_from_recording(tone, violin.codebook, ["fundamental", "gain"])
    assert note == "the fundamental was transposed by +1 octaves"
    assert np.median(curves["fundamental"]) == pytest.approx(220, rel=0.005)
    expected = frame_gain(tone)
    np.testing.assert_allclose(curves["gain"][10:-10], (expected * MAX_GAIN / expected.max())[10:-10], rtol=0.05)


def test_noise_has_a_centroid_but_no_pitch(violin):
    noise = np.random.default_rng(0).standard_normal(22_050).astype(np.float32) * 0.1
    curves, note = controller.curves_from_recording(noise, violin.codebook, ["centroid"])
    assert len(curves["centroid"]) == 44
    assert "and was shifted by" in note
    with pytest.raises(ValueError, match="no pitch to follow"):
        controller.curves_from_recording(noise, violin.codebook, ["fundamental"])


def test_a_long_recording_is_cut_and_a_short_or_silent_one_is_rejected(violin):
    curves, note = controller.curves_from_recording(sine(880, 61.0), violin.codebook, ["centroid"])
    assert len(curves["centroid"]) == 2584
    assert note.startswith("only the first 60 s of the recording are used")
    with pytest.raises(ValueError, match=r"lasts 0\.20 s"):
        controller.curves_from_recording(sine(880, 0.2), violin.codebook, ["centroid"])
    with pytest.raises(ValueError, match="is silent and has no centroid"):
        controller.curves_from_recording(np.zeros(22_050, np.float32), violin.codebook, ["centroid"])


def test_a_sound_that_is_too_loud_is_lowered_with_a_warning(violin):
    loud = RenderRequest(violin, {"flatness": np.full(60, 0.0001), "gain": np.full(60, 0.4)})
    rendering, warning = controller.render_request(loud)
    assert "would clip and is attenuated by" in warning
    assert np.abs(rendering.audio).max() <= 0.99


def test_warnings_of_another_thread_are_not_captured():
    with controller.capture_log() as warnings:
        other = threading.Thread(target=lambda: logging.getLogger("timbrelib").warning("elsewhere"))
        other.start()
        other.join()
    assert warnings == []
