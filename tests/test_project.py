import re
import subprocess
import sys
import tomllib
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution

import pytest
import yaml
from conftest import ROOT, SHARED_DATA
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import timbrelib
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.evaluation.metrics import reconstruction_distance
from timbrelib.evaluation.scorecard import scorecards, sung_row
from timbrelib.model.checkpoint import load_card
from timbrelib.model.registry import shipped_models
from timbrelib.recordings.corpus import load_recordings

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
METADATA = PROJECT["project"]
PYTHONS = [line.split(" :: ")[-1] for line in METADATA["classifiers"] if ":: Python :: 3." in line]  # oldest first
LOCK = dict(
    line.split("==") for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")
)


def requirements(*groups):
    return [Requirement(line) for group in groups for line in group]


EXTRAS = METADATA["optional-dependencies"]
LOCKED_GROUPS = [METADATA["dependencies"], EXTRAS["notebooks"], EXTRAS["dev"], PROJECT["build-system"]["requires"]]


@pytest.mark.parametrize("requirement", requirements(*LOCKED_GROUPS), ids=str)
def test_the_lock_satisfies_every_requirement(requirement):
    assert LOCK[requirement.name] in requirement.specifier


def test_a_changed_lock_of_torch_does_not_slip_in():
    assert LOCK["torch"] == "2.13.0"
    assert f"pip install torch=={LOCK['torch']}\n" in (ROOT / "docs" / "installation.md").read_text()


def test_requirements_are_ranges_so_that_the_library_installs_beside_others():
    for requirement in requirements(*LOCKED_GROUPS, EXTRAS["bench"]):
        assert {clause.operator for clause in requirement.specifier} == {">="}, requirement


@pytest.mark.parametrize(("name", "refused"), [("librosa", "0.10.2"), ("numpy", "2.0.2")])
def test_versions_that_give_other_results_or_none_are_refused(name, refused):
    (requirement,) = (one for one in requirements(METADATA["dependencies"]) if one.name == name)
    assert refused not in requirement.specifier


@pytest.mark.parametrize("minor", PYTHONS)
def test_every_pinned_package_admits_every_python_of_the_project_from_its_first_release(minor):
    """Debian 12 has 3.11.2, for example."""
    for name, version in LOCK.items():
        with suppress(PackageNotFoundError):  # of another system
            found = distribution(name)
            if found.version.partition("+")[0] == version:
                assert f"{minor}.0" in SpecifierSet(found.metadata.get("Requires-Python", "")), name


def test_everything_names_the_same_versions_of_python():
    oldest, newest = PYTHONS[0], PYTHONS[-1]
    assert METADATA["requires-python"] == f">={oldest}"
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    makefile = (ROOT / "Makefile").read_text()
    assert f"PYTHONS = {' '.join(f'python{minor}' for minor in PYTHONS)} python3" in makefile
    assert f"sys.version_info < ({oldest.replace('.', ', ')})" in makefile
    for page in ("README.md", "CONTRIBUTING.md"):
        assert f"Python {oldest} to {newest}" in (ROOT / page).read_text(), page
    assert f"Python {', '.join(PYTHONS[:-1])} or {newest}" in (ROOT / "docs" / "installation.md").read_text()


def test_conda_installs_what_the_lock_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, pinned = environment["dependencies"]
    assert python.removeprefix("python=") in PYTHONS
    assert pip == "pip"
    assert pinned == {"pip": ["-r requirements.lock"]}


def test_the_workflow_runs_the_commands_of_ci_on_every_python_and_system():
    text = (ROOT / ".github" / "workflows" / "check.yml").read_text()
    workflow = yaml.load(text, yaml.BaseLoader)  # which reads the key "on" as text
    assert workflow["on"]["schedule"][0]["cron"].split()[2:] == ["1", "*", "*"]  # monthly
    assert "push" in workflow["on"]
    job = workflow["jobs"]["check"]
    runs = job["strategy"]["matrix"]["include"]
    linux = [run["python"] for run in runs if run["os"] == "ubuntu-latest"]
    assert len(linux) == 3
    assert {PYTHONS[0], PYTHONS[-1]} <= set(linux)
    assert {run["python"] for run in runs} == set(PYTHONS)
    assert {run["os"].partition("-")[0] for run in runs} == {"ubuntu", "macos", "windows"}
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    in_ci = re.findall(r"^make (\w+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert f"make {' '.join(in_ci)} figures" in commands
    assert "python -m timbrelib figures" in commands


def test_the_metadata_has_authors_and_no_invented_addresses():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert [author["name"] for author in METADATA["authors"]] == [author["name"] for author in citation["authors"]]
    (paper,) = citation["references"]
    assert METADATA["urls"] == {"Paper": paper["url"]}
    assert sorted(METADATA["keywords"]) == sorted(citation["keywords"])
    assert METADATA["readme"] == "README.md"
    assert "ADDRESS" not in (ROOT / "README.md").read_text()


def test_extras_are_explained():
    text = (ROOT / "docs" / "installation.md").read_text()
    for extra in EXTRAS:
        assert f'pip install ".[{extra}]"' in text


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


@pytest.mark.parametrize("name", shipped_models())
def test_the_codes_in_sorted_order_sound_in_sorted_order(name):
    section = rows(SCORECARD.split(f"## {name}\n")[1].split("\n## ")[0])
    correlations = [float(NUMBER.search(cell)[0]) for cell in section.values() if cell.startswith("Spearman")]
    assert len(correlations) == len(DESCRIPTORS)
    assert min(correlations) > 0.85


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
    header, *quoted = [row for row in tables((ROOT / "README.md").read_text()) if len(row) == 4]
    assert header == ["sound: measure", "published", "paper's method", "this library"]
    assert len(quoted) >= 9
    section, found = {}, 0
    for row in tables(SCORECARD):
        section = dict(zip(row, range(len(row)), strict=True)) if row[0] == "sound" else section
        for sound, measure in (name[0].split(": ") for name in quoted if name[0].startswith(f"{row[0]}: ")):
            place = next(place for column, place in section.items() if column.startswith(measure))
            kept = next(cells for cells in quoted if cells[0] == f"{sound}: {measure}")
            assert row[place] == kept[header.index(row[1])], (sound, measure, row[1])
            found += 1
    assert found == 3 * len(quoted)


def test_the_page_on_training_quotes_the_models():
    listed = subprocess.run([sys.executable, "-m", "timbrelib", "models"], capture_output=True, text=True, check=True)
    assert listed.stdout.strip() in (ROOT / "docs" / "training.md").read_text()


def test_the_page_on_differences_has_the_table_that_its_snippet_prints(capsys):
    text = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.+?)```", text, re.DOTALL)
    exec(snippet, {})
    printed = tables(capsys.readouterr().out)
    kept = {cells[0]: cells for cells in tables(text)}
    assert [cells[0] for cells in printed] == shipped_models()
    for name, *values in printed:
        figures, kept_figures = ([float(value.strip("%")) for value in row] for row in (values, kept[name][1:]))
        assert figures == pytest.approx(kept_figures, abs=0.02), name  # processors round differently


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
