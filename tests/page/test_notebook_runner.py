"""Run small notebooks as ``make figures`` runs the real ones."""

import asyncio
import hashlib
import logging
import signal
import subprocess
import sys
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import nbformat
import pytest
from conftest import ROOT, model_of, unit_spectra, white_noise
from PIL import Image

import timbrelib
from timbrelib.model.registry import shipped_models
from timbrelib.page.notebook_runner import (
    NotebookRun,
    describe_changes,
    make_figures,
    model_runs,
    page_runs,
    run_notebooks,
    update_notebooks,
)

PARAMETERS = 'MODEL, DESCRIPTOR = "violin", "centroid"'
FIGURE = """import numpy as np
from matplotlib import pyplot as plt
plt.imshow(np.random.default_rng(0).random((64, 64)));"""


@pytest.fixture(autouse=True)
def _show_progress(caplog):
    caplog.set_level(logging.INFO)


@pytest.fixture
def project(tmp_path):
    """A folder with a space in its name, laid out as the project."""
    for name in ("notebooks", "figures", "Audio_Exemple"):
        (tmp_path / "a project" / name).mkdir(parents=True)
    return tmp_path / "a project"


@pytest.fixture
def my_sound(tmp_path, monkeypatch):
    """The name of a model of the user's own, as far as the registry looks at it."""
    (tmp_path / "models" / "my sound").mkdir(parents=True)
    (tmp_path / "models" / "my sound" / "config.json").write_text("{}")
    monkeypatch.setenv("TIMBRE_MODELS", str(tmp_path / "models"))
    return "my sound"


def write_notebook(project, stem, *cells):
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.cells = [nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
    notebook.cells += [nbformat.v4.new_code_cell(cell) for cell in cells]
    path = project / "notebooks" / f"{stem}.ipynb"
    nbformat.write(notebook, path)
    return path


def write_all_notebooks(project, cell):
    for stem, _ in page_runs(["centroid", "fundamental"]):
        write_notebook(project, stem, cell)


def printed(path):
    """Text that the last cell of an executed notebook printed."""
    return nbformat.read(path, 4).cells[-1].outputs[0].text


def test_a_notebook_runs_in_its_folder_in_one_thread_with_its_settings(project, caplog, capfd):
    show = "import os; print(MODEL, DESCRIPTOR, os.path.basename(os.getcwd()), os.environ['OMP_NUM_THREADS'])"
    path = write_notebook(project, "show", show)
    out = project / "copies" / "shown.ipynb"
    run_notebooks([NotebookRun(path, out, {"MODEL": "my sound", "DESCRIPTOR": "rolloff"})])
    assert printed(out) == "my sound rolloff notebooks 1\n"
    assert caplog.messages[0].split()[:-2] == ["show", "my", "sound", "rolloff"]
    assert caplog.messages[0].endswith(" s")
    assert len(caplog.messages) == 1
    assert capfd.readouterr() == ("", ""), "the kernel warns about nothing"


def test_a_failing_notebook_shows_its_whole_traceback_and_stops_the_others(project, caplog):
    failing = write_notebook(project, "failing", "def divide():\n    return 1 / 0", "divide()")
    long = write_notebook(project, "long", "import time; time.sleep(300)")
    runs = [NotebookRun(path, project / "copies" / path.name) for path in (long, failing, long)]
    start = time.monotonic()
    with pytest.raises(ChildProcessError) as raised:
        run_notebooks(runs)
    assert time.monotonic() - start < 60
    message = str(raised.value)
    assert message.startswith("failing failed:\n")
    for line in ("divide()", "    return 1 / 0", "ZeroDivisionError: division by zero"):
        assert line in message.replace("----> 2 ", "")
    assert "\x1b" not in message
    assert not caplog.messages
    assert not (project / "copies").exists()


def test_a_notebook_runs_from_within_an_event_loop_as_from_another_notebook(project):
    path = write_notebook(project, "05_target_decode", "print(6 * 7)")

    async def run():
        return NotebookRun(path, project / "copy.ipynb").execute()

    with ThreadPoolExecutor(1) as other:  # of the tests' own thread, in which a browser may keep a loop
        assert other.submit(asyncio.run, run()).result() > 0
    assert "42" in printed(project / "copy.ipynb")


def test_a_dead_kernel_is_reported(project):
    path = write_notebook(project, "dying", "import os; os._exit(1)")
    with pytest.raises(ChildProcessError, match=r"^dying failed:\nKernel died"):
        run_notebooks([NotebookRun(path, path)])


def test_figures_of_a_model_whose_name_has_a_space(project, my_sound, caplog):
    write_all_notebooks(project, "print(MODEL)")
    make_figures(my_sound, ["centroid"], project)
    copies = sorted(path.name for path in (project / "build" / "notebooks").iterdir())
    assert copies == [
        "01_train_my sound.ipynb",
        "02_codebook_pca_my sound_centroid.ipynb",
        "03_descriptor_histogram_my sound_centroid.ipynb",
        "04_sorted_codebook_my sound.ipynb",
        "05_target_decode_my sound_centroid.ipynb",
        "10_evaluation_my sound.ipynb",
    ]
    for name in copies:
        assert printed(project / "build" / "notebooks" / name).endswith("/my sound\n")
    assert sum("my sound" in message for message in caplog.messages) == len(copies)


def test_a_relative_folder_of_a_model_becomes_absolute(project, my_sound, tmp_path, monkeypatch):
    monkeypatch.setenv("TIMBRE_MODELS", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    write_all_notebooks(project, "print(MODEL)")
    make_figures(f"models/{my_sound}", [], project)
    copy = project / "build" / "notebooks" / "01_train_my sound.ipynb"
    assert printed(copy) == f"{tmp_path.resolve()}/models/my sound\n"


def test_the_fundamental_of_a_model_without_pitched_codes_is_left_out(project, monkeypatch, tmp_path, caplog):
    shaker = model_of(unit_spectra(white_noise(seed=0), white_noise(seed=1)), share=1.0)
    timbrelib.save_model(tmp_path / "models" / "shaker", shaker, {}, {})
    monkeypatch.setenv("TIMBRE_MODELS", str(tmp_path / "models"))
    write_all_notebooks(project, "print(MODEL)")
    make_figures("shaker", ["centroid", "fundamental"], project)
    assert caplog.messages[-7] == "no code of shaker is pitched: the notebooks about its fundamental are left out"
    copies = {path.stem for path in (project / "build" / "notebooks").iterdir()}
    assert "05_target_decode_shaker_centroid" in copies
    assert not {name for name in copies if "fundamental" in name or "07_follow_a_line" in name}


def test_changed_and_new_files_are_named(project, my_sound):
    write_all_notebooks(
        project, "for path in ('figures/b.png', 'Audio_Exemple/c.wav'):\n    open(f'../{path}', 'w').write('new')"
    )
    for name in ("a", "b"):
        (project / "figures" / f"{name}.png").write_text("old")
    summary = make_figures(my_sound, [], project)
    assert summary.startswith("1 of 2 files in figures and Audio_Exemple differ from before.")
    assert summary.endswith(": figures/b.png\n1 files are new.")
    assert make_figures(my_sound, [], project) == (
        "All 3 files that were in figures and Audio_Exemple before are identical."
    )


def test_a_removed_file_counts_as_changed():
    digest = hashlib.sha256().hexdigest()
    assert describe_changes({"figures/a.png": digest}, {}).endswith(": figures/a.png")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("no such model", ["centroid"]), FileNotFoundError, "there is no model 'no such model'"),
        (("violin", ["warmth"]), ValueError, "there is no descriptor 'warmth'"),
    ],
)
def test_a_wrong_setting_is_reported_before_anything_runs(project, arguments, error, message):
    write_all_notebooks(project, "1 / 0")
    with pytest.raises(error, match=message):
        make_figures(*arguments, project)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_interrupted_figures_are_whole_and_the_next_run_completes_them(project, my_sound):
    cell = """import time
from timbrelib.files import atomic_write
with atomic_write("../figures/a.png") as part:
    part.write_text("new")
    time.sleep({})"""
    write_all_notebooks(project, cell.format(300))
    (project / "figures" / "a.png").write_text("old")
    command = [sys.executable, "-m", "timbrelib", "figures", "--model", my_sound, "--descriptors", "centroid"]
    running = subprocess.Popen(command, cwd=project, stderr=subprocess.PIPE, text=True)
    while not any(path.stat().st_size for path in (project / "figures").glob(".a-*.png")):
        assert running.poll() is None
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    assert "Traceback" not in running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert [(path.name, path.read_text()) for path in (project / "figures").iterdir()] == [("a.png", "old")]
    write_all_notebooks(project, cell.format(0))
    make_figures(my_sound, [], project)
    assert [(path.name, path.read_text()) for path in (project / "figures").iterdir()] == [("a.png", "new")]


@pytest.mark.parametrize("command", ["figures", "notebooks"])
def test_the_commands_end_with_an_error_status(project, command):
    def run():
        return subprocess.run([sys.executable, "-m", "timbrelib", command], cwd=project, capture_output=True, text=True)

    done = run()
    assert done.returncode == 1
    assert done.stderr == "error: there are no notebooks in notebooks: run this in the folder of the project\n"
    write_all_notebooks(project, "1 / 0")
    done = run()
    assert done.returncode == 1
    assert "ZeroDivisionError: division by zero" in done.stderr


def test_every_notebook_of_the_page_exists_and_every_model_is_traversed():
    runs = page_runs(["centroid", "fundamental"])
    assert len({str(run) for run in runs}) == len(runs)
    assert all((ROOT / "notebooks" / f"{stem}.ipynb").is_file() for stem, _ in runs)
    traversed = [settings["MODEL"] for stem, settings in runs if stem == "04_sorted_codebook"]
    assert sorted(traversed) == shipped_models()


def test_two_curves_need_a_pitch():
    assert "07_follow_a_line" in dict(model_runs("violin", ["centroid", "fundamental"]))
    assert "07_follow_a_line" not in dict(model_runs("violin", ["centroid"]))


def test_notebooks_are_updated_in_place_with_few_colours_and_no_random_names(project):
    path = write_notebook(project, "a", FIGURE, "from ipywidgets import IntSlider; IntSlider()")
    update_notebooks(project)
    notebook = nbformat.read(path, 4)
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3]
    assert "widgets" not in notebook.metadata
    (output,) = notebook.cells[1].outputs
    with Image.open(BytesIO(b64decode(output.data["image/png"]))) as image:
        assert image.mode == "P"
    assert notebook.cells[2].outputs[0].data["application/vnd.jupyter.widget-view+json"]["model_id"] == ""
    before = path.read_bytes()
    update_notebooks(project)
    assert path.read_bytes() == before


def test_a_notebook_that_fails_in_place_is_left_as_it_was(project):
    path = write_notebook(project, "a", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(ChildProcessError, match="division by zero"):
        update_notebooks(project)
    assert path.read_bytes() == before


def test_every_figure_of_a_notebook_is_shown(project):
    path = write_notebook(project, "two", *["import timbrelib; timbrelib.plots.spectrum(1025 * [0.0]);"] * 2)
    NotebookRun(path, path).execute()
    for cell in nbformat.read(path, 4).cells[1:]:
        assert [next(iter(output.data)) for output in cell.outputs] == ["image/png"]
