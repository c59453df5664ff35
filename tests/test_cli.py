"""The options of the commands; what the commands do is tested with what they call."""

from dataclasses import fields

import numpy as np
import pytest
from conftest import sine

import timbrelib
from timbrelib.cli import main
from timbrelib.control.search import Search


@pytest.fixture(scope="module")
def models(small, tmp_path_factory):
    """A folder of the user's own models with one that has noise, ``strings``."""
    folder = tmp_path_factory.mktemp("models")
    timbrelib.save_model(folder / "strings", *small, {})
    return folder


@pytest.fixture
def run(models, tmp_path, monkeypatch, capsys):
    """Run a command in an empty folder; return its exit status and what it printed."""
    monkeypatch.setenv("TIMBRE_MODELS", str(models))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        status = main(list(arguments))
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return run


def test_a_rendering_has_the_excitation_and_the_settings_that_were_asked_for(run, small, tmp_path):
    options = ["--smoothness", "2", "--continuity", "0.5", "--retune", "50", "--tilt", "3", "--refinements", "1"]
    status, _ = run("render", "strings", "sin", "--seconds", "1", "--noise", "0.8", *options, "--out", "noisy")
    assert status == 0
    saved = timbrelib.load_rendering(tmp_path / "noisy.json")
    assert (saved.excitation, saved.noise) == ("mixed", 0.8)
    assert saved.search == Search(2, 1, {}, 0.5, 50, 3)


def test_a_rendering_is_mixed_with_the_models_own_noise_unless_asked(run, small, tmp_path):
    for excitation in ("mixed", "locked", "noise"):
        asked = [] if excitation == "mixed" else ["--excitation", excitation]
        assert run("render", "strings", "sin", "--seconds", "1", *asked, "--out", excitation)[0] == 0
    saved = {name: timbrelib.load_rendering(tmp_path / f"{name}.json") for name in ("mixed", "locked", "noise")}
    assert [saved[name].excitation for name in saved] == list(saved)
    assert saved["mixed"].noise == small[0].noise
    assert saved["mixed"].search == Search()


def test_a_transfer_has_the_excitation_and_the_settings_that_were_asked_for(run, tmp_path):
    tone = sum(sine(294 * n, 1.5, 0.2 / n) for n in range(1, 8))
    timbrelib.save_audio(tmp_path / "tone.wav", tone)
    options = ["--excitation", "locked", "--smoothness", "1", "--retune", "0", "--tilt", "0", "--refinements", "0"]
    assert run("transfer", "strings", "tone.wav", *options, "--out", "played.wav")[0] == 0
    timbre = timbrelib.load("strings", "locked")
    sound = timbrelib.load_audio(tmp_path / "tone.wav")
    expected = timbre.transfer(sound, smoothness=1, retune=0, tilt=0, refinements=0).audio
    np.testing.assert_allclose(timbrelib.load_audio(tmp_path / "played.wav"), expected, atol=1 / 32_000)
    assert run("transfer", "strings", "tone.wav", "--out", "mixed.wav")[0] == 0
    assert not np.array_equal(timbrelib.load_audio(tmp_path / "mixed.wav"), expected)


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--excitation", "mix", "there is no excitation 'mix': choose one of mixed, locked, noise"),
        ("--noise", "1.5", "the noise cannot be 1.5: give"),
        ("--noise", "nan", "the noise cannot be nan: give"),
        ("--smoothness", "-1", "the smoothness cannot be -1.0: give"),
        ("--continuity", "-1", "the continuity cannot be -1.0: give"),
        ("--retune", "1201", "codes cannot be retuned by 1201.0 cents: give"),
        ("--tilt", "inf", "codes cannot be tilted by inf dB per octave: give"),
        ("--refinements", "-2", "the number of refinements cannot be -2: give"),
    ],
)
def test_a_value_out_of_range_is_one_sentence(run, tmp_path, option, value, says):
    status, printed = run("render", "strings", "sin", "--seconds", "1", option, value)
    assert status == 1
    assert printed.startswith(f"error: {says}")
    assert printed.count("\n") == 1
    if option != "--continuity":  # the pitch of a transfer is always a target
        timbrelib.save_audio(tmp_path / "tone.wav", sine(294, 0.5))
        assert run("transfer", "strings", "tone.wav", option, value) == (status, printed)
    assert not list(tmp_path.glob("strings_*"))


@pytest.mark.parametrize("arguments", [["--noise", "much"], ["--refinements", "1.5"], ["--retune"]])
def test_a_value_that_is_not_a_number_ends_with_the_usage(run, arguments):
    with pytest.raises(SystemExit) as raised:
        run("render", "strings", "sin", *arguments)
    assert raised.value.code == 2


def test_a_model_is_trained_with_the_sizes_that_were_asked_for(run, strings_folder, tmp_path):
    sizes = ["--n-codes", "48", "--code-size", "8", "--width", "24", "--blocks", "1"]
    training = ["--name", "tiny", "--models", str(tmp_path), "--steps", "4", "--kmeans-frames", "500"]
    assert run("train", str(strings_folder), *training, *sizes)[0] == 0
    assert timbrelib.load_model(tmp_path / "tiny").config == timbrelib.VQVAEConfig(48, 8, 24, 1)
    status, printed = run("train", str(strings_folder), *training, "--replace", "--n-codes", "0")
    assert (status, printed.splitlines()[-1]) == (
        1,
        "error: a model cannot have a n_codes of 0: give a whole number from 1 to 16384",
    )


def test_the_command_line_describes_the_sizes_with_their_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for size in fields(timbrelib.VQVAEConfig):
        option = f"--{size.name.replace('_', '-')} int "
        if size.name == "outputs":  # the spectra that a decoder predicts are not a choice of the user
            assert option not in said
        else:
            assert f"(default: {size.default})" in said.split(option)[-1].split(" --")[0]
