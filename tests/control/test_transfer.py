from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
from conftest import sine
from IPython.display import Audio

import timbrelib
from timbrelib.audio.frames import HOP, SAMPLE_RATE, frame_gain, spectra
from timbrelib.audio.sound_files import read_samples
from timbrelib.control.timbre import Timbre
from timbrelib.control.transfer_scores import score_transfer
from timbrelib.descriptors import measure
from timbrelib.descriptors.pitch import track_autocorrelation, track_pyin
from timbrelib.recordings.training_frames import cut_frames


@pytest.fixture(scope="module")
def glide():
    """A dark tone of two partials that glides over a fifth below the violin, with a swell."""
    seconds = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    f0 = 110 * 1.5 ** (seconds / 2)
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE
    swell = np.sin(np.pi * seconds / 2)
    return (0.3 * swell * (np.sin(phase) + 0.3 * np.sin(2 * phase))).astype(np.float32), f0


def test_a_low_glide_is_transposed_by_octaves_and_keeps_its_level(violin, glide):
    sound, f0 = glide
    transfer = violin.transfer(sound)
    assert transfer.semitones == 12
    assert len(transfer.audio) == len(sound)
    measured = measure(transfer.audio, ["fundamental"])["fundamental"][8:-8]
    cents = 1200 * np.abs(np.log2(measured / (2 * f0[::512][8:-8][: len(measured)])))
    assert np.mean(cents < 50) > 0.9  # undefined frames count as misses
    gains = frame_gain(sound)[8:-8], frame_gain(transfer.audio)[8:-8]
    np.testing.assert_allclose(gains[1], gains[0], rtol=0.1)
    assert transfer.score.pitch > 95
    assert transfer.score.level < 0.5


def test_a_given_transposition_is_used(violin):
    transfer = violin.transfer(sine(440), semitones=3)
    assert transfer.semitones == 3
    f0 = measure(transfer.audio, ["fundamental"])["fundamental"]
    assert np.nanmedian(f0) == pytest.approx(440 * 2 ** (3 / 12), rel=0.02)
    assert violin.transfer(sine(440)).semitones == 0  # inside the range it stays


def test_brightness_keeps_its_contour(violin):
    opening = sum(sine(400 * k, 1.5, 0.2) * np.linspace(0, 1, int(1.5 * SAMPLE_RATE)) ** (k / 2) for k in range(1, 9))
    assert violin.transfer(opening.astype(np.float32)).score.centroid > 0.8


def test_a_slow_glide_has_no_steps(chromatic):
    seconds = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    f0 = 310 * (550 / 310) ** (seconds / 2)
    phase = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE
    sound = sum(0.2 / k * np.sin(k * phase) for k in range(1, 9)).astype(np.float32)
    smooth, steps = (chromatic.transfer(sound, semitones=0, retune=retune) for retune in (100, 0))
    target = f0[::HOP]
    error = [
        1200 * np.log2(track_autocorrelation(transfer.audio)[: len(target)] / target)[8:-8]
        for transfer in (smooth, steps)
    ]
    assert np.abs(error[0]).max() < 20 < np.abs(error[1]).max()
    assert np.median(np.abs(error[0])) < 5
    assert steps.code_path.cents is None


def test_the_nearest_method_encodes_and_decodes_as_the_paper_does(violin, phrases):
    sound = phrases[0].audio[: SAMPLE_RATE + 100]
    transfer = violin.transfer(sound, semitones=0, method="nearest")
    codes, gain = violin.model.encode_spectra([spectra(transfer.original)])
    np.testing.assert_array_equal(transfer.code_path.codes, codes)
    np.testing.assert_allclose(transfer.gain, gain, rtol=1e-4, atol=2e-5)
    np.testing.assert_allclose(transfer.audio, violin.model.decode_to(len(sound), codes, gain), atol=2e-4)  # rounded
    assert transfer.code_path.cents is transfer.code_path.tilt is None
    transposed = violin.transfer(sound, semitones=5, method="nearest")
    assert transposed.semitones == 5
    assert not np.array_equal(transposed.code_path.codes, codes)


def test_an_unknown_method_is_refused(violin):
    with pytest.raises(ValueError, match="there is no method 'best': choose one of path, nearest"):
        violin.transfer(sine(440), method="best")


def test_a_sound_without_pitch_is_transferred_by_its_spectrum(violin):
    hiss = 0.1 * np.random.default_rng(0).standard_normal(SAMPLE_RATE).astype(np.float32)
    transfer = violin.transfer(hiss)
    assert transfer.semitones == 0
    bright = np.percentile(violin.codebook["centroid"], 85)  # hiss is brighter than any violin
    assert np.median(violin.codebook["centroid"][transfer.code_path.codes]) > bright
    assert transfer.score.level < 0.5


@pytest.mark.parametrize(
    ("sound", "says"),
    [
        (np.zeros(5000), "silent"),
        (np.full(5000, 1e-6), "silent"),
        (np.full(5000, np.nan), "not finite"),
        (np.zeros(0), "empty"),
    ],
)
def test_a_sound_that_cannot_be_transferred_is_refused_in_a_sentence(violin, sound, says):
    with pytest.raises(ValueError, match=says):
        violin.transfer(sound)


def test_a_transfer_hardly_depends_on_the_size_of_a_block(violin, phrases, monkeypatch):
    sound = phrases[0].audio[: 2 * SAMPLE_RATE]
    whole = violin.transfer(sound, refinements=1)
    monkeypatch.setattr("timbrelib.control.transfer.BLOCK", 30)
    in_blocks = violin.transfer(sound, refinements=1)
    assert (
        np.mean(whole.code_path.codes == in_blocks.code_path.codes) > 0.98
    )  # sums over blocks of another size round differently


def test_a_small_codebook_offers_all_its_codes(phrases):
    config = timbrelib.TrainingConfig(steps=60, batch=128)
    sizes = timbrelib.VQVAEConfig(n_codes=16, code_size=8, width=32, blocks=1)
    model, _ = timbrelib.train(cut_frames(phrases), config, sizes, progress=False)
    codebook = timbrelib.analyse_codebook(model, cache=False)
    codebook.columns["fundamental"] = np.geomspace(200, 800, 16)  # after so few steps there may be no pitched code
    transfer = Timbre(model, codebook).transfer(phrases[0].audio[:SAMPLE_RATE], refinements=0)
    assert len(transfer.audio) == SAMPLE_RATE
    assert transfer.code_path.codes.max() < 16


@pytest.fixture(scope="module")
def transfer(violin):
    return violin.transfer(sine(440, 0.5), semitones=-2, refinements=0)


def test_a_transfer_shows_its_timbre_transposition_and_score(transfer):
    assert repr(transfer) == f"as violin: transposed by -2 semitones, {transfer.score}"
    assert repr(replace(transfer, semitones=0)).startswith("as violin: pitch")


def test_a_transfer_plots_both_spectrograms_under_its_score(transfer):
    figure = transfer.plot("a sine")
    before, after, bar = figure.axes
    assert [ax.get_title("left") for ax in (before, after)] == ["a sine", "as violin"]
    assert bar.get_ylabel() == "level (dB)"
    assert figure.get_suptitle().replace("\n", " ") == str(transfer.score)
    pitches = [np.nanmedian(ax.get_lines()[0].get_ydata()) for ax in (before, after)]  # kHz
    assert pitches == pytest.approx([0.44, 0.44 * 2 ** (-2 / 12)], rel=0.01)
    plt.close(figure)


def test_a_saved_transfer_has_both_sounds_and_links_its_own(tmp_path, transfer):
    assert isinstance(transfer.play(), Audio)
    saved = replace(transfer)
    saved.save(tmp_path / "t")
    assert {path.name for path in tmp_path.iterdir()} == {"t.wav", "t_input.wav"}
    np.testing.assert_allclose(soundfile.read(tmp_path / "t_input.wav")[0], transfer.original, atol=1e-4)
    assert f'src="{tmp_path.as_posix()}/t.wav"' in saved.play().data
    assert saved.play().data.startswith(f"{saved!r}: <a")


def test_the_score_is_measured_from_what_is_saved(violin, tmp_path):
    saved = violin.transfer(sine(440, 0.5) * np.linspace(0, 1, SAMPLE_RATE // 2, dtype=np.float32) ** 4)
    saved.save(tmp_path / "t")
    original, audio = (read_samples(tmp_path / f"t{end}.wav") for end in ("_input", ""))
    np.testing.assert_array_equal(original, saved.original)
    np.testing.assert_array_equal(audio, saved.audio)
    assert saved.score == score_transfer(original, audio)


def test_original_and_transfer_are_tracked_once(violin, monkeypatch):
    sound, tracked = sine(440), []

    def count(audio):
        tracked.append(audio)
        return track_pyin(audio)

    monkeypatch.setattr("timbrelib.control.melody.track_pyin", count)
    monkeypatch.setattr("timbrelib.control.transfer_scores.track_pyin", count)
    monkeypatch.setattr("timbrelib.control.transfer.track_pyin", count)
    transfer = violin.transfer(sound)
    transfer.plot()
    assert transfer.score == score_transfer(transfer.original, transfer.audio)
    assert [audio is transfer.audio for audio in tracked] == [False, True, False, True]
