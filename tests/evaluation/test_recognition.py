import subprocess
import sys

import numpy as np
import pytest
from conftest import SHARED_DATA, sine

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.sound_files import load_audio
from timbrelib.audio.sound_output import save_audio
from timbrelib.evaluation.recognition import (
    SHIPPED,
    TIMBRES,
    heard_as,
    known_timbre,
    load_classifier,
    window_features,
)
from timbrelib.evaluation.recognition_training import main, score_classifier, train_classifier
from timbrelib.recordings.corpus import load_recordings

RECORDINGS = pytest.mark.skipif(not (SHARED_DATA / "violin").is_dir(), reason="needs the recordings")
TOY = ("dull", "hollow", "noisy")


def toy_sound(timbre: str, frequency: float, seed: int = 0) -> np.ndarray:
    """Two seconds of a toy timbre: a sine, odd partials alone, or noise."""
    if timbre == "noisy":
        return (0.1 * np.random.default_rng(seed).standard_normal(2 * SAMPLE_RATE)).astype(np.float32)
    partials = (1,) if timbre == "dull" else (1, 3, 5, 7)
    return sum(sine(partial * frequency, 2, 0.3 / partial) for partial in partials)


@pytest.fixture(scope="module")
def toy_folder(tmp_path_factory):
    """Eight recordings of each toy timbre."""
    folder = tmp_path_factory.mktemp("toy")
    for timbre in TOY:
        for number in range(8):
            save_audio(folder / timbre / f"{number}.wav", toy_sound(timbre, 200 + 30 * number, number))
    return folder


@pytest.fixture(scope="module")
def toy(toy_folder):
    return train_classifier(toy_folder, TOY)


@pytest.mark.parametrize("timbre", TOY)
def test_timbres_are_recognised_at_pitches_that_were_not_in_training(toy, timbre):
    assert heard_as(toy_sound(timbre, 345, seed=99), timbre, toy) == 1


def test_each_window_has_its_own_timbre(toy):
    names = toy.recognise(np.concatenate([toy_sound("dull", 300), toy_sound("noisy", 0)]))
    assert len(names) == 14  # windows of 22 frames every 11 in 173 frames
    assert set(names[:6]) == {"dull"}
    assert set(names[-6:]) == {"noisy"}


def test_training_twice_gives_the_same_bytes_and_a_saved_classifier_the_same_answers(toy, toy_folder, tmp_path):
    toy.save(tmp_path / "once.safetensors")
    train_classifier(toy_folder, TOY).save(tmp_path / "twice.safetensors")
    assert (tmp_path / "once.safetensors").read_bytes() == (tmp_path / "twice.safetensors").read_bytes()
    loaded = load_classifier(tmp_path / "once.safetensors")
    assert loaded.timbres == TOY
    assert np.isnan([loaded.recorded_accuracy(timbre) for timbre in TOY]).all(), "it was not tested"
    sound = toy_sound("hollow", 290) + toy_sound("noisy", 0)
    np.testing.assert_array_equal(loaded.recognise(sound), toy.recognise(sound))


def test_the_level_does_not_matter(phrases):
    sound = phrases[0].audio
    np.testing.assert_allclose(window_features(sound / 100), window_features(sound), atol=0.02)
    np.testing.assert_array_equal(load_classifier().recognise(sound / 100), load_classifier().recognise(sound))


def test_windows_40_db_below_the_loudest_are_left_out(phrases):
    sound = phrases[0].audio[: 2 * SAMPLE_RATE]
    alone = len(window_features(sound))
    assert len(window_features(np.concatenate([sound, 1e-4 * sound]))) <= alone + 2  # two overlap the loud half
    assert len(window_features(np.concatenate([sound, 0.1 * sound]))) >= 2 * alone


def test_silence_is_heard_as_nothing_and_a_short_sound_is_one_window():
    silence = np.zeros(SAMPLE_RATE, np.float32)
    assert len(load_classifier().recognise(silence)) == 0
    assert [heard_as(silence, timbre) for timbre in TIMBRES] == [0] * len(TIMBRES)
    assert len(load_classifier().recognise(sine(440, 0.1))) == 1
    assert len(load_classifier().recognise(sine(440, 0.001))) == 1
    click = silence.copy()
    click[SAMPLE_RATE // 2] = 1
    assert np.isfinite(window_features(click)).all()


def test_every_window_of_a_sound_is_heard_as_one_timbre():
    noise = np.random.default_rng(0).standard_normal(3 * SAMPLE_RATE).astype(np.float32)
    for sound in (noise, sine(440, 3)):
        assert sum(heard_as(sound, timbre) for timbre in TIMBRES) == pytest.approx(1)


def test_sounds_and_timbres_that_cannot_be_judged_are_refused():
    with pytest.raises(ValueError, match=r"does not know 'piano': choose one of bassoon, cello"):
        heard_as(sine(440), "piano")
    with pytest.raises(ValueError, match="not finite"):
        heard_as(np.full(9999, np.nan), "violin")


def test_a_model_of_a_female_voice_is_heard_as_singing_and_of_an_unknown_timbre_as_nothing():
    assert [known_timbre(name) for name in TIMBRES] == list(TIMBRES)
    assert known_timbre("female") == "singing"
    assert known_timbre("shaker") is None


def test_the_accuracy_on_test_recordings_is_kept_with_the_classifier(toy, toy_folder, tmp_path):
    for number in range(4):
        save_audio(tmp_path / "hollow" / f"{number}.wav", toy_sound("noisy", 0, number))  # never right
        for timbre in ("dull", "noisy"):
            save_audio(tmp_path / timbre / f"{number}.wav", toy_sound(timbre, 300, number))
    for folder, hollow in ((toy_folder, 1), (tmp_path, 0)):
        score_classifier(toy, folder).save(tmp_path / "tested.safetensors")
        tested = load_classifier(tmp_path / "tested.safetensors")
        assert [tested.recorded_accuracy(timbre) for timbre in TOY] == [1, hollow, 1]


def test_the_shipped_classifier_knows_its_accuracy():
    for timbre in TIMBRES:
        assert 0.8 < load_classifier().recorded_accuracy(timbre) <= 1


def test_two_timbres_are_too_few(toy_folder):
    with pytest.raises(ValueError, match="at least three"):
        train_classifier(toy_folder, TOY[:2])


def test_a_damaged_file_is_refused(toy, tmp_path):
    path = tmp_path / "classifier.safetensors"
    with pytest.raises(FileNotFoundError):
        load_classifier(path)
    toy.save(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="train it again"):
        load_classifier(path)
    path.write_bytes(SHIPPED.read_bytes().replace(b"bassoon cello", b"bassoon-cello"))  # one timbre less
    with pytest.raises(ValueError, match="do not fit together"):
        load_classifier(path)


def test_the_command_prints_the_accuracy_and_writes_the_classifier(toy_folder, tmp_path, capsys):
    out = tmp_path / "classifier.safetensors"
    main([str(toy_folder), "--timbres", *TOY, "--out", str(out)])
    assert capsys.readouterr().out.split() == [w for name in (*TOY, "mean") for w in (name, "100.0", "%")]
    assert load_classifier(out).timbres == TOY
    with pytest.raises(SystemExit, match="error: there are no recordings in"):
        main([str(tmp_path)])


def test_the_shipped_classifier_is_small_and_needs_no_scikit_learn():
    assert SHIPPED.stat().st_size < 300_000
    assert load_classifier().timbres == tuple(sorted(TIMBRES))
    code = (
        "import sys, numpy; from timbrelib.evaluation.recognition import heard_as; "
        "heard_as(numpy.ones(9999), 'violin'); sys.exit('sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@RECORDINGS
@pytest.mark.parametrize(("timbre", "least"), [("clarinet", 0.8), ("flute", 0.9), ("oboe", 0.8), ("singing", 0.98)])
def test_real_recordings_that_were_not_in_training_are_recognised(timbre, least):
    accuracy = load_classifier().accuracy(load_recordings(timbre, "test", SHARED_DATA), timbre)
    assert accuracy >= least
    assert load_classifier().recorded_accuracy(timbre) == pytest.approx(accuracy, abs=0.01)


@RECORDINGS
def test_real_recordings_are_hardly_recognised_as_another_timbre():
    audio = load_audio(sorted((SHARED_DATA / "singing").glob("*.flac"))[0])
    assert heard_as(audio, "singing") > 0.9
    assert heard_as(audio, "violin") < 0.05
