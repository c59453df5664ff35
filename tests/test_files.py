"""Text is written and read alike on every system, and names are those that every system accepts."""

import ast
import os
import stat

import pytest
from conftest import ROOT

from timbrelib.files import atomic_write, checked_name, remove_partial, write_text

SOURCES = [*sorted((ROOT / "timbrelib").rglob("*.py")), *sorted((ROOT / "benchmarks").glob("*.py"))]


def text_calls(path):
    """Calls in a module that open, read or write a file as text, each with its keywords."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        constants = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        foreign = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") in ("Image", "os")
        binary = name == "open" and any("b" in str(mode) for mode in constants)
        if (name in ("open", "read_text") or (name == "write_text" and len(node.args) == 1)) and not (
            foreign or binary
        ):
            yield name, node.lineno, {keyword.arg for keyword in node.keywords}


def test_every_text_file_is_opened_with_its_encoding_and_written_with_its_line_ends():
    found = [(path, *call) for path in SOURCES for call in text_calls(path)]
    assert len(found) >= 5
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path, name, line, keywords in found
        if not {"encoding"} | ({"newline"} if name == "write_text" else set()) <= keywords
    ]
    assert not wrong


@pytest.mark.parametrize(
    "name", ["CON", "con", "Nul", "nul.txt", "PRN .tar.gz", "aux.a.b", "COM1", "com9.wav", "LPT0", "lpt²", "COM¹.x"]
)
def test_the_name_of_a_device_of_windows_is_refused_everywhere(name):
    with pytest.raises(ValueError, match="it denotes a device on Windows; choose another one"):
        checked_name(name)


@pytest.mark.parametrize("name", ["console", "a con", "com", "com10", "lpt", "null", "con_1", "my.con"])
def test_a_name_that_only_resembles_one_of_a_device_is_accepted(name):
    assert checked_name(name) == name


@pytest.mark.parametrize("name", [f"a{character}b" for character in '<>:"/\\|?*\t\n\x01'] + ["a.", "a. .", "con. ."])
def test_a_name_that_windows_cannot_store_is_refused_everywhere(name):
    with pytest.raises(ValueError, match="is not a name for a file"):
        checked_name(name)


def test_what_a_killed_process_had_not_completed_is_removed_and_nothing_else(tmp_path):
    kept = {"a.png", ".hidden", ".gitignore", "a-12345678.png"}
    for name in kept:
        (tmp_path / name).touch()
    unfinished = atomic_write(tmp_path / "a figure.png")
    part = unfinished.__enter__()
    assert part.exists()
    remove_partial(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_written_file_has_the_permissions_of_any_new_file(tmp_path):
    write_text(tmp_path / "a", "a")
    (tmp_path / "b").touch()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "b").stat().st_mode)
