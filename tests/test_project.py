import re
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT, SHARED_DATA

from timbrelib.checkpoint import load_card
from timbrelib.scorecard import scorecard

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
    for name, version in {**pinned, **conda}.items():
        assert LOCK[name] == version, name


def test_a_changed_lock_of_torch_does_not_slip_in():
    assert LOCK["torch"] == "2.13.0"


def test_importing_the_package_does_not_import_torch_or_librosa():
    program = "import sys, timbrelib; print({'torch', 'librosa', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def rows(text):
    """First two columns of a table's rows."""
    return dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", text, flags=re.MULTILINE))


def test_the_readme_quotes_the_scorecard():
    quoted = rows((ROOT / "README.md").read_text())
    printed = rows(scorecard("violin", ROOT / "Audio_Exemple"))
    assert len(printed) > 8
    for what, here in printed.items():
        assert what in quoted
        if not what.startswith(("decoding", "analysis")) and "to sound" not in what:  # timings differ from run to run
            assert quoted[what].replace(" (recorded)", "") == here.replace(" (recorded)", ""), what


@pytest.mark.skipif(not (SHARED_DATA / "violin").is_dir(), reason="needs the recordings")
def test_the_recordings_give_the_recorded_distance_and_the_quoted_share_of_sung_notes():
    printed = rows(scorecard("violin", ROOT / "Audio_Exemple", SHARED_DATA))
    distance = printed["LSD, test split, weighted by length"]
    assert "recorded" not in distance
    sung = printed["5 sung lines, moved by octaves"]
    assert float(sung.split()[0]) >= 90
    assert sung == rows((ROOT / "README.md").read_text())["5 sung lines, moved by octaves"]
    assert float(distance.split()[0]) == pytest.approx(load_card("violin")["scores"]["lsd_db"], abs=0.01)


def test_the_scorecard_command_needs_examples(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "timbrelib", "scorecard", "--examples", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "make figures" in done.stderr
    assert "Traceback" not in done.stderr
