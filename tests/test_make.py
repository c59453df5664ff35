"""What make does, without installing anything: a copy of the Makefile, and programs that only say who they are."""

import os
import re
import shutil
import subprocess

import pytest
from conftest import ROOT

MAKE = shutil.which("make")
pytestmark = pytest.mark.skipif(MAKE is None, reason="needs make")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path):
    """A folder with the Makefile and the files that it looks at, in order of time."""
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for second, name in enumerate(("requirements.lock", "pyproject.toml", ".venv/locked", ".venv/ready")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (second, second))
    return tmp_path


def run(project, *arguments, **environment):
    """Run make as from a shell, also where make itself has started the tests."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = [MAKE, *arguments]
    return subprocess.run(command, cwd=project, env=inherited | environment, capture_output=True, text=True)


def program(path, text):
    """Write a program of the shell."""
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize("given", [[], ["PYTHON=/nowhere/python3"], ["PYTHON=old"]])
def test_a_missing_or_old_python_is_reported_in_a_sentence(project, tmp_path, given):
    tools = tmp_path / "tools"  # all programs that make finds
    tools.mkdir()
    program(tools / "old", "exit 1")  # as Python 3.9 answers
    shutil.copy(tools / "old", tools / "python3")
    shutil.rmtree(project / ".venv")
    done = run(project, "install", *given, PATH=str(tools))
    assert done.returncode != 0
    first, *rest = done.stderr.splitlines()
    assert first.startswith("Python 3.11 or newer was not found: install it, or say where it is")
    assert all(line.startswith("make:") for line in rest)
    assert not (project / ".venv").exists()


def test_the_first_python_that_is_new_enough_is_taken(project, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    program(tools / "python3.11", "exit 1")  # a name of an interpreter that is not installed, as pyenv has them
    program(tools / "python3.13", "exit 0")
    program(tools / "python3", "exit 0")
    shutil.rmtree(project / ".venv")
    done = run(project, "-n", "install", PATH=str(tools))
    assert f'"{tools}/python3.13" -m venv .venv' in done.stdout


def test_help_lists_every_target_with_awk_alone(project, tmp_path):
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "awk").symlink_to(shutil.which("awk"))
    listed = [line.split()[0] for line in run(project, "help", PATH=str(tmp_path / "tools")).stdout.splitlines()]
    assert listed == re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split()


def test_options_of_gnu_tools_and_features_of_new_versions_of_make_are_not_used():
    recipes = "\n".join(line for line in MAKEFILE.splitlines() if line.startswith("\t"))
    assert not re.search(
        r"\b(expand|readlink|realpath|nproc|sha256sum|find|xargs)\b|sed -[Eir]|grep -\w*P|cp -\w*a", recipes
    )
    assert not re.search(r"^\.(ONESHELL|SHELLFLAGS)|!=|\$\((file|let|intcmp) |&:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize(
    ("changed", "reinstalls"), [("pyproject.toml", ["-e ."]), ("requirements.lock", ["-r requirements.lock", "-e ."])]
)
def test_what_changed_is_installed_again_and_no_more(project, changed, reinstalls):
    assert "install" not in run(project, "-n", "page").stdout
    os.utime(project / changed, (9, 9))
    planned = run(project, "-n", "page").stdout
    for what in ("-r requirements.lock", "-e ."):
        assert (what in planned) == (what in reinstalls)


def test_the_page_is_built_after_the_figures_also_by_several_jobs(project):
    program(project / ".venv" / "bin" / "python", 'echo "$3 begins" >>log; sleep 0.2; echo "$3 ends" >>log')
    done = run(project, "-j2", "figures", "page")
    assert done.returncode == 0, done.stderr
    steps = (project / "log").read_text(encoding="utf-8").splitlines()
    assert steps == [f"{name} {what}" for name in ("figures", "scorecard", "page") for what in ("begins", "ends")]


def test_clean_removes_the_environment_and_the_next_command_builds_it_again(project):
    assert run(project, "clean").returncode == 0
    assert not (project / ".venv").exists()
    planned = run(project, "-n", "notebooks").stdout
    assert planned.index("-m venv") < planned.index("-r requirements.lock") < planned.index("-e .")
    assert planned.index("-e .") < planned.index("timbrelib notebooks")


def test_every_target_has_a_plain_command_where_make_does_not_exist():
    text = (ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    table = text.split("\n## Without make\n")[1].split("\n## ")[0]
    listed = re.findall(r"^\| `make (\w+)` \| `.+` \|$", table, re.MULTILINE)
    assert listed == [
        name for name in re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split() if name != "help"
    ]


def test_jupyterlab_serves_the_project_so_that_notebooks_show_its_diagrams_and_sounds(project):
    assert "jupyterlab --FileContentsManager.preferred_dir=notebooks\n" in run(project, "-n", "lab").stdout
