from dataclasses import asdict, replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import FOREIGN_STYLE, png
from IPython.display import Audio

import timbrelib
from timbrelib import descriptors
from timbrelib.audio.frames import seconds_to_frames
from timbrelib.control.scores import score_tracking
from timbrelib.descriptors.pitch import track_autocorrelation, track_pyin


@pytest.fixture(scope="module")
def rendering(violin):
    """A second and a half of two targets, the last third of it silent."""
    pitch, brightness = (
        violin.target(name, "sin", *ends, 64)
        for name, ends in {"fundamental": (300, 500), "centroid": (1200, 2200)}.items()
    )
    gain = np.where(np.arange(64) < 40, 0.05, 0)
    return violin.render(pitch, brightness, gain=gain, refinements=0)


@pytest.fixture
def figure(rendering):
    yield rendering.plot("two targets")
    plt.close("all")


def test_a_rendering_shows_its_model_and_score(rendering):
    assert repr(rendering) == f"violin: {rendering.score}"
    assert "fundamental raw pitch accuracy" in repr(rendering)
    assert "; centroid error" in repr(rendering)


def test_selected_values_are_those_of_the_codes(violin, rendering):
    assert list(rendering.selected) == ["fundamental", "centroid"]
    np.testing.assert_array_equal(rendering.selected["centroid"], violin.codebook["centroid"][rendering.codes])


def test_the_selected_fundamental_is_that_of_the_retuned_codes(violin, rendering):
    np.testing.assert_array_equal(rendering.codes, rendering.code_path.codes)
    own = violin.codebook["fundamental"][rendering.codes]
    moved = own * 2 ** (rendering.code_path.cents[:, 1] / 1200)
    np.testing.assert_allclose(rendering.selected["fundamental"], moved)
    target = rendering.targets["fundamental"]
    assert np.abs(np.log2(moved / target)).mean() < np.abs(np.log2(own / target)).mean()


def test_the_score_is_that_of_all_frames_but_the_silent_ones(rendering):
    sounding = np.isfinite(rendering.measured["centroid"])
    assert sounding[:40].all()
    assert not sounding[45:].any()
    curves = (rendering.targets, rendering.measured, rendering.selected)
    for name, score in rendering.score.items():
        again = score_tracking(name, *(curve[name][sounding] for curve in curves))
        np.testing.assert_equal(asdict(score), asdict(again))  # in which NaN equals NaN, also in Python 3.13
    assert rendering.score["fundamental"].voiced > 90


def test_a_frame_that_is_faded_to_its_own_rounding_has_no_measured_value(violin):
    target = violin.target("centroid", "sin", 1500, 2500, 64)
    levels = np.linspace(-26, -90, 64)  # dB
    faded = violin.render(target, gain=10 ** (levels / 20))
    for curve in (faded.measured["centroid"], faded.to_saved().measured["bandwidth"]):
        assert np.isfinite(curve[levels > -58]).all()
        assert np.isnan(curve[levels < -62]).all()
    assert faded.score["centroid"].voiced == 100
    pitch = violin.render(violin.target("fundamental", "sin", 300, 500, 64), gain=faded.gain)
    assert np.isnan(pitch.measured["fundamental"][levels < -62]).all()
    assert pitch.score["fundamental"].rpa_50 > 90  # what cannot be measured is not wrong


def test_a_sound_that_is_too_quiet_everywhere_has_no_score(violin):
    quiet = violin.render(violin.target("fundamental", "sin", 300, 500, 64), gain=1e-4)
    assert str(quiet.score) == "no fundamental measured"


def test_only_chosen_frames_are_scored(rendering):
    steady = np.arange(64) < 10
    score = rendering.score_frames(steady)["fundamental"]
    again = score_tracking("fundamental", *(c["fundamental"][:10] for c in (rendering.targets, rendering.measured)))
    assert (score.error, score.rpa_50) == (again.error, again.rpa_50)
    assert score.error != rendering.score["fundamental"].error


def test_a_sound_may_be_measured_again(rendering):
    quick = rendering.remeasure(track_autocorrelation)
    sounding = np.isfinite(rendering.measured["centroid"])
    tracked = np.where(sounding, track_autocorrelation(rendering.audio), np.nan)
    np.testing.assert_array_equal(quick.measured["fundamental"], tracked)
    for name, curve in quick.remeasure().measured.items():
        expected = np.where(sounding, descriptors.measure(rendering.audio, [name], track_pyin)[name], np.nan)
        np.testing.assert_array_equal(curve, expected)
        np.testing.assert_array_equal(curve, rendering.measured[name])


def test_a_rendering_plots_its_spectrogram_and_curves_with_the_score(rendering, figure):
    _, pitch, pitch_error, brightness, brightness_error = figure.axes[:5]
    assert figure.get_suptitle() == "two targets"
    panels = (pitch, pitch_error, "fundamental", "cents"), (brightness, brightness_error, "centroid", "Hz")
    for ax, error, name, unit in panels:
        assert ax.get_ylabel() == f"{name} (Hz)"
        assert error.get_ylabel() == f"residual\n({unit})"
        legend = ax.get_legend()
        assert [text.get_text() for text in legend.get_texts()] == ["target", "measured", "selected codes"]
        assert legend.get_title().get_text() == str(rendering.score[name])


def test_targets_are_blank_where_the_sound_is_silent(rendering, figure):
    sounding = rendering.gain > 0
    for ax in (figure.axes[1], rendering.plot_curves("fundamental", title="a title")):
        for line in (ax.get_lines()[0], ax.get_lines()[2]):  # target and selected codes
            np.testing.assert_array_equal(np.isfinite(line.get_ydata()), sounding)
    assert ax.get_title("left") == "a title"


def test_a_figure_has_a_default_title_and_may_have_another_score(rendering):
    score = rendering.score_frames(rendering.gain > 0)
    figure = rendering.plot(score=score)
    assert figure.get_suptitle() == "violin, fundamental and centroid"
    assert figure.axes[3].get_legend().get_title().get_text() == str(score["centroid"])
    plt.close(figure)


def test_a_traversal_can_be_plotted_and_saved(tmp_path, violin):
    traversal = violin.traverse("rolloff")
    plt.close(traversal.plot())
    traversal.save(tmp_path / "t")
    assert {path.name for path in tmp_path.iterdir()} == {"t.wav", "t.csv", "t.json"}


def test_an_unsaved_sound_is_embedded_and_a_saved_one_is_linked(tmp_path, rendering):
    unsaved = replace(rendering)
    assert unsaved.path is None
    assert isinstance(unsaved.play(), Audio)
    unsaved.save(tmp_path / "a_b")
    assert unsaved.path == tmp_path / "a_b.wav"
    player = unsaved.play().data
    assert f'src="{tmp_path.as_posix()}/a_b.wav"' in player
    assert player.startswith(f"{unsaved.score}: <a")
    assert unsaved.play("my label").data.startswith("my label: <a")


def test_a_folder_that_is_in_the_way_is_named(tmp_path, rendering):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PermissionError, match="choose a folder"):
        replace(rendering).save(tmp_path / "file" / "a")


def test_a_gain_of_none_is_the_default_gain(chromatic, tmp_path):
    target = chromatic.target("fundamental", "ramp", 310, 580, 12)
    usual = chromatic.render(target)
    for rendering in (chromatic.render(target, gain=None), chromatic.render_codes(usual.codes, target, gain=None)):
        np.testing.assert_array_equal(rendering.gain, usual.gain)
        rendering.save(tmp_path / "a")
        np.testing.assert_array_equal(timbrelib.load_rendering(tmp_path / "a.json").gain, usual.gain)


@pytest.mark.parametrize("shape", ["sin", "exp"])
def test_a_short_pitch_is_followed_as_well_as_a_long_one_that_glides_as_fast(violin, shape):
    low, high = violin.codebook.percentile_range("fundamental")
    half = (high / low) ** (1 / 12)  # in a sixth of six seconds a sixth of the octaves
    middle = np.sqrt(low * high)
    target = violin.target("fundamental", shape, middle / half, middle * half, seconds_to_frames(1))
    assert violin.render(target).score["fundamental"].rpa_50 > 95


def test_traversals_and_codebooks_are_drawn_the_same_whatever_the_users_settings_are(chromatic):
    traversals = {name: chromatic.traverse(name, 12) for name in ("centroid", "flatness")}

    def draw():
        return [png(figure) for figure in (timbrelib.plot_traversals(traversals), chromatic.codebook.plot("centroid"))]

    usual = draw()
    with plt.rc_context(FOREIGN_STYLE):
        assert draw() == usual
    plt.close("all")
