import re
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT, SHARED_DATA

import timbrelib
from timbrelib.evaluation.metrics import reconstruction_distance
from timbrelib.evaluation.scorecard import scorecards, sung_row
from timbrelib.model.checkpoint import load_card
from timbrelib.model.registry import shipped_models
from timbrelib.recordings.corpus import load_recordings

LOCK = dict(
    line.split("==") for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")
)
CARD = ["torch", "librosa", "numpy", "matplotlib", "scikit-learn", "ipywidgets", "jupyterlab", "soundfile"]


def test_environment_lock_and_pyproject_pin_the_same_versions():
    conda = dict(re.findall(r"- ([\w-]+)==(\S+)", (ROOT / "environment.yml").read_text()))
    assert set(CARD) <= set(conda)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [project["project"]["dependencies"], *project["project"]["optional-dependencies"].values()]
    pinned = dict(
        requirement.split("==") for group in [*groups, project["build-system"]["requires"]] for requirement in group
    )
    del pinned["pyworld"]  # installed by make bench alone, for it needs a compiler
    for name, version in {**pinned, **conda}.items():
        assert LOCK[name] == version, name


def test_a_changed_lock_of_torch_does_not_slip_in():
    assert LOCK["torch"] == "2.13.0"


def test_importing_the_package_does_not_import_torch_or_librosa():
    program = "import sys, timbrelib; print({'torch', 'librosa', 'matplotlib', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def rows(text):
    """First two columns of the rows of tables."""
    return dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", text, flags=re.MULTILINE))


SCORECARD = (ROOT / "docs" / "scorecard.md").read_text()
NUMBER = re.compile(r"\d+(?:\.\d+)?")
RPA = re.compile(r"raw pitch accuracy (\d+\.\d+) % \(50 cents\)")
FUNDAMENTAL = {"singing": 97, "cello": 97, "trumpet": 93, "horn": 93, "violin": 97}  # least raw pitch accuracy in %


def tables(text):
    """Rows of Markdown tables: lists of cells."""
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]


@pytest.fixture(scope="module")
def printed_today():
    """The scorecards of all models, made two at a time."""
    cards = scorecards(shipped_models(), ROOT / "Audio_Exemple")
    return dict(zip(shipped_models(), cards.split("\n\n## "), strict=True))


@pytest.mark.parametrize("name", shipped_models())
def test_the_kept_scorecard_is_what_is_printed_today(name, printed_today):
    printed = tables(printed_today[name])
    kept = tables(SCORECARD.split(f"## {name}\n")[1].split("\n## ")[0])
    for cells, kept_cells in zip(printed, kept, strict=True):
        text, kept_text = " | ".join(cells), " | ".join(kept_cells)
        assert NUMBER.sub("", text) == NUMBER.sub("", kept_text)
        for figure, kept_figure in zip(NUMBER.findall(text), NUMBER.findall(kept_text), strict=True):
            decimals = len(figure.partition(".")[2])
            close = {0: 3, 1: 0.2, 2: 0.1}.get(decimals, 0.002)  # processors round differently
            assert float(figure) == pytest.approx(float(kept_figure), abs=close), text


@pytest.mark.parametrize("name", FUNDAMENTAL)
def test_notes_are_followed(name):
    header, *rows = tables(SCORECARD.split(f"## {name}\n")[1].split("\n## ")[0])
    sounds = [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)]
    here = [row for row in sounds if row["made by"].startswith("this library")]
    notes = [row["RPA 50 cents"] for row in here if row["error"].endswith("cents")]  # targets of pitch alone
    assert notes
    for accuracy in notes:
        assert float(accuracy.split()[0]) >= FUNDAMENTAL[name]


def test_the_readme_quotes_the_scorecard():
    in_readme = (ROOT / "README.md").read_text().splitlines()
    names = {row[0] for row in tables(SCORECARD)} - {"sound", "measure"}  # headers, which may differ
    quoted = [line for line in in_readme if line.startswith("| ") and tables(line)[0][0] in names]
    assert len(quoted) >= 5
    assert set(quoted) <= set(SCORECARD.splitlines())


def test_the_page_on_training_quotes_the_models():
    listed = subprocess.run([sys.executable, "-m", "timbrelib", "models"], capture_output=True, text=True, check=True)
    assert listed.stdout.strip() in (ROOT / "docs" / "training.md").read_text()


def test_the_readme_is_short_and_its_links_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    assert len(text.split()) <= 1000
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / link).exists(), link


@pytest.mark.skipif(not (SHARED_DATA / "violin").is_dir(), reason="needs the recordings")
@pytest.mark.parametrize("name", shipped_models())
def test_the_recordings_give_the_recorded_distance(name):
    distance, _ = reconstruction_distance(timbrelib.load_model(name), load_recordings(name, "test", SHARED_DATA))
    assert distance == pytest.approx(load_card(name)["scores"]["lsd_db"], abs=0.01)


@pytest.mark.skipif(not (SHARED_DATA / "singing").is_dir(), reason="needs the recordings")
def test_the_recordings_give_the_quoted_share_of_sung_notes(violin):
    what, sung, _ = sung_row(violin, SHARED_DATA)
    assert float(RPA.match(sung)[1]) >= 90
    assert sung == rows((ROOT / "docs" / "measures.md").read_text())[what]


def test_the_scorecard_command_needs_examples(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "timbrelib", "scorecard", "--examples", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "make figures" in done.stderr
    assert "Traceback" not in done.stderr
