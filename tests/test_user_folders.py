"""The user's folders, where there are none."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from timbrelib import files
from timbrelib.model import registry

PROGRAM = """
import os, pwd, sys
def nobody(uid):
    raise KeyError(uid)
pwd.getpwuid = nobody  # a foreign user, as in a container
import timbrelib
from timbrelib.files import user_cache_folder
from timbrelib.model.registry import own_models
from numba import njit
sys.path.insert(0, ".")
import function
assert njit(cache=True)(function.double)(2) == 4
import matplotlib
print(matplotlib.get_configdir(), matplotlib.get_cachedir(), user_cache_folder(), own_models())
"""


@pytest.mark.parametrize("home", [None, "/proc/nonexistent"])
def test_without_a_writable_home_the_caches_are_temporary(tmp_path, home):
    (tmp_path / "function.py").write_text("def double(x):\n    return 2 * x\n")
    (tmp_path / "__pycache__").write_text("in the way")  # as in an installation that is not writable
    (tmp_path / "temporary").mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "HOME" and not name.startswith("XDG")}
    environment |= {"TMPDIR": str(tmp_path / "temporary")} | ({"HOME": home} if home else {})
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stderr == ""
    folder = tmp_path / "temporary" / f"timbrelib-{os.getuid()}"
    expected = [folder / "config" / "matplotlib", folder / "cache" / "matplotlib", folder / "cache" / "timbrelib"]
    assert done.stdout.split() == [*map(str, expected), "[]"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list((folder / "cache").glob("numba/*"))


def test_a_temporary_folder_that_others_can_write_to_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nonexistent")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    open_to_all = tmp_path / f"timbrelib-{os.getuid()}"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    files.prepare_user_folders()
    assert not Path(os.environ["XDG_CACHE_HOME"]).is_relative_to(open_to_all)
    assert os.environ["XDG_CONFIG_HOME"] == str(tmp_path)


def test_without_a_home_models_are_refused_in_a_sentence(monkeypatch):
    for name in ("HOME", "XDG_DATA_HOME", "TIMBRE_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # a foreign user
    assert registry.own_models() == []
    with pytest.raises(FileNotFoundError, match=r"no home folder .*: set TIMBRE_MODELS"):
        registry.models_folder()
