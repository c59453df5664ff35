"""The options of the commands; what the commands do is tested with what they call."""

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import fields

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
from conftest import ROOT, sine

import timbrelib
from timbrelib.cli import main
from timbrelib.control.search import Search
from timbrelib.model.registry import shipped_folder


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

    yield run
    plt.close("all")


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
    np.testing.assert_allclose(soundfile.read(tmp_path / "played.wav")[0], expected, atol=1 / 32_000)
    assert run("transfer", "strings", "tone.wav", "--out", "mixed.wav")[0] == 0
    assert np.abs(soundfile.read(tmp_path / "mixed.wav")[0] - expected).max() > 1 / 1000


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


def test_a_rendering_never_writes_over_the_drawing_that_it_reads(run, tmp_path):
    drawing = b"time_s,target\n0,1200\n1,2500\n"
    (tmp_path / "drawing.csv").write_bytes(drawing)
    (tmp_path / "link.csv").symlink_to("drawing.csv")
    for out, *options in (("drawing",), ("drawing.wav", "--overwrite"), ("link", "--overwrite"), ("./drawing.csv",)):
        status, printed = run("render", "strings", "drawing.csv", "--out", out, *options)
        assert status == 1
        assert "is read by this command and would be lost: choose another --out" in printed
    assert (tmp_path / "drawing.csv").read_bytes() == drawing
    assert {path.name for path in tmp_path.iterdir()} == {"drawing.csv", "link.csv"}


def test_a_transfer_never_writes_over_the_sound_that_it_reads(run, tmp_path):
    timbrelib.save_audio(tmp_path / "tone.wav", sine(294))
    before = (tmp_path / "tone.wav").read_bytes()
    status, printed = run("transfer", "strings", "tone.wav", "--out", "tone", "--overwrite")
    assert (status, (tmp_path / "tone.wav").read_bytes()) == (1, before)
    assert "tone.wav is read by this command" in printed


def test_files_that_exist_are_replaced_only_if_asked_before_any_work(run, tmp_path):
    (tmp_path / "mine.json").write_text("by hand")
    command = ("render", "strings", "sin", "--seconds", "0.5", "--out", "mine")
    status, printed = run(*command)
    assert (status, printed) == (1, "error: mine.json would be replaced: add --overwrite, or choose another --out\n")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.json"]
    assert run(*command, "--overwrite")[0] == 0
    assert timbrelib.load_rendering(tmp_path / "mine.json").model == "strings"


def test_a_scorecard_or_page_replaces_none_but_its_own(run, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    status, printed = run("scorecard", "--model", "strings", "--out", "README.md")
    assert (status, (tmp_path / "README.md").read_text()) == (1, "mine")
    assert "README.md would be replaced" in printed
    (tmp_path / "index.html").write_text("mine")
    folders = ["--figures", str(ROOT / "figures"), "--examples", str(ROOT / "Audio_Exemple")]
    status, printed = run("page", *folders, "--scorecard", str(ROOT / "docs" / "scorecard.md"), "--out", ".")
    assert (status, (tmp_path / "index.html").read_text()) == (1, "mine")
    assert "index.html would be replaced" in printed
    status, printed = run("page", *folders, "--out", str(ROOT), "--overwrite")
    assert status == 1
    assert "figures is read by this command" in printed


@pytest.mark.parametrize(
    ("out", "files"),
    [
        ("take.wav", {"take.wav", "take.csv", "take.json", "take.png"}),
        ("take.flac", {"take.flac", "take.csv", "take.json", "take.png"}),
        ("take.json", {"take.wav", "take.csv", "take.json", "take.png"}),
        ("take.2", {"take.2.wav", "take.2.csv", "take.2.json", "take.2.png"}),
    ],
)
def test_the_suffix_of_the_sound_may_be_given_and_decides_on_its_format(run, tmp_path, out, files):
    status, printed = run("render", "strings", "sin", "--seconds", "0.5", "--out", out)
    assert status == 0
    assert {path.name for path in tmp_path.iterdir()} == files
    sound = next(name for name in files if name.endswith(("wav", "flac")))
    assert soundfile.info(tmp_path / sound).format == sound[-4:].strip(".").upper()
    assert f"written: {sound}, .csv" in printed


@pytest.mark.parametrize("command", [("render", "strings", "sin"), ("transfer", "strings", "tone.wav")])
def test_a_sound_format_that_cannot_be_written_is_refused_before_any_work(run, tmp_path, command):
    timbrelib.save_audio(tmp_path / "tone.wav", sine(294))
    status, printed = run(*command, "--out", "take.ogg")
    assert status == 1
    assert "take.ogg cannot be written as a sound: give it one of the suffixes .wav" in printed
    assert [path.name for path in tmp_path.iterdir()] == ["tone.wav"]


def test_a_wavetable_is_exported_and_replaced_only_if_asked(run, tmp_path):
    status, printed = run("export", "viola", "--to", "wavetable", "--count", "8", "--note", "A4")
    assert status == 0
    assert printed.startswith("written: viola_centroid.wav, 8 frames of 2,048 samples\nlicence: CC BY-SA 4.0; ")
    assert soundfile.info(tmp_path / "viola_centroid.wav").frames == 8 * 2048
    command = ("export", "viola", "--to", "wavetable", "--descriptor", "rolloff", "--out", "mine.wav")
    (tmp_path / "mine.wav").write_text("by hand")
    assert run(*command) == (1, "error: mine.wav would be replaced: add --overwrite, or choose another --out\n")
    assert (tmp_path / "mine.wav").read_text() == "by hand"
    assert run(*command, "--overwrite")[0] == 0
    assert soundfile.info(tmp_path / "mine.wav").frames == 64 * 2048


def test_an_instrument_is_exported_and_replaced_only_if_asked(run, tmp_path):
    command = ("export", "viola", "--to", "sfz", "--step", "12", "--layers", "1")
    status, printed = run(*command)
    assert status == 0
    samples = {path.name for path in (tmp_path / "viola_sfz" / "samples").iterdir()}
    assert {path.name for path in (tmp_path / "viola_sfz").iterdir()} == {"viola.sfz", "LICENSE.txt", "samples"}
    assert f"viola.sfz, {len(samples)} samples, LICENSE.txt\nlicence: CC BY-SA 4.0; " in printed
    (tmp_path / "viola_sfz" / "LICENSE.txt").write_text("by hand")
    status, printed = run(*command)
    assert (status, printed.count("\n")) == (1, 1)
    assert "LICENSE.txt" in printed
    assert "would be replaced: add --overwrite" in printed
    assert (tmp_path / "viola_sfz" / "LICENSE.txt").read_text() == "by hand"
    assert run(*command, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["wavetable", "--step", "3"], "--step does not apply to --to wavetable: leave it out"),
        (["sfz", "--descriptor", "centroid"], "--descriptor does not apply to --to sfz: leave it out"),
        (["wavetable", "--count", "300"], "a wavetable cannot have 300 frames: give 2 to 256"),
        (["sfz", "--noise", "2"], "the noise cannot be 2.0: give a number from 0 (locked) to 1 (as in the recordings)"),
        (["sfz", "--layers", "0"], "the layers cannot be 0: give a whole number from 1 to 8"),
    ],
)
def test_an_export_that_cannot_be_made_is_one_sentence(run, tmp_path, arguments, says):
    assert run("export", "viola", "--to", *arguments) == (1, f"error: {says}\n")
    assert not list(tmp_path.iterdir())


def start(*arguments, **options):
    """Start the command line in a process of its own, its output piped."""
    command = [sys.executable, "-m", "timbrelib", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_reader_that_wants_no_more_ends_a_command_quietly():
    process = start("models")
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (b"", 141)


def test_a_name_that_cannot_be_printed_is_escaped(tmp_path):
    folder = tmp_path / os.fsdecode(b"\xc3\xa4\xff")  # a letter that is not ASCII, and a byte that is not UTF-8
    shutil.copytree(shipped_folder() / "violin", folder / "mine")
    process = start("models", env=os.environ | {"PYTHONIOENCODING": "ascii", "LANG": "C", "TIMBRE_MODELS": folder})
    out, said = process.communicate()
    assert (process.returncode, said) == (0, b"")
    assert rb"Your own, in " + os.fsencode(tmp_path) + rb"/\xe4\udcff:" in out


@pytest.mark.parametrize("module", ["timbrelib.cli.options", "torch"])
def test_ctrl_c_ends_in_a_sentence_from_the_beginning(module):
    """While a module is imported that takes long."""
    program = f"""
import sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
from timbrelib.cli import main
sys.exit(main(["render", "violin", "sin"]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\nstopped\n")


@pytest.mark.parametrize("command", ["page", "figures", "notebooks"])
def test_packages_of_the_notebooks_that_are_missing_are_named(run, monkeypatch, command):
    for name in [name for name in sys.modules if name.startswith("timbrelib.page")]:
        monkeypatch.delitem(sys.modules, name)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "nbclient" else find_spec(name))
    status, printed = run(command)
    assert (status, printed.count("\n")) == (1, 1)
    assert printed.startswith("error: nbclient is not installed: install the packages of the notebooks extra")


def test_the_pad_names_the_packages_that_are_missing(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("timbrelib.pad")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        ModuleNotFoundError, match=r"anywidget is not installed: .* pip install 'timbrelib\[notebooks\]'"
    ):
        importlib.import_module("timbrelib.pad.target_pad")


def test_the_pad_is_a_public_name_right_after_the_import():
    program = "import timbrelib; print(timbrelib.TargetPad.__name__, timbrelib.CodeScatter.__name__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("TargetPad CodeScatter\n", "")
