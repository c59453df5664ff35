"""The docstrings of the public names: complete, with examples that run as they are printed."""

import ast
import doctest
import inspect
import re
import textwrap
from functools import cached_property

import pytest
from matplotlib import pyplot as plt

import timbrelib
from timbrelib.descriptors import DESCRIPTORS

MODULES = (timbrelib.descriptors, timbrelib.plots)
FINDER = doctest.DocTestFinder()


def public_members(module):
    """Functions and classes that a module offers, by their full names."""
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    found = {name: getattr(module, name) for name in getattr(module, "__all__", own)}
    return {
        f"{module.__name__}.{name}": value
        for name, value in found.items()
        if inspect.isclass(value) or (inspect.isfunction(value) and not name.startswith("_"))
    }


PUBLIC = {name: value for module in (timbrelib, *MODULES) for name, value in public_members(module).items()}
CLASSES = {name: value for name, value in PUBLIC.items() if inspect.isclass(value)}


def methods(cls):
    """Public methods and properties that a class defines, as functions by name."""
    members = {name: value for name, value in vars(cls).items() if not name.startswith("_")}
    functions = {}
    for name, value in members.items():
        if isinstance(value, property):
            functions[name] = value.fget
        elif isinstance(value, (cached_property, classmethod, staticmethod)) or inspect.isfunction(value):
            functions[name] = getattr(value, "func", getattr(value, "__func__", value))
    return functions


FUNCTIONS = {name: value for name, value in PUBLIC.items() if inspect.isfunction(value)} | {
    f"{name}.{method}": function for name, cls in CLASSES.items() for method, function in methods(cls).items()
}


def shown(value):
    """Source of the examples of a docstring, and those of the methods of a class."""
    return "\n".join(example.source for test in FINDER.find(value, "") for example in test.examples)


def raises(function):
    """Whether a function has a statement that raises an error."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    return any(isinstance(node, ast.Raise) for node in ast.walk(tree))


@pytest.mark.parametrize("name", [module.__name__ for module in (timbrelib, *MODULES)] + list(PUBLIC))
def test_the_examples_give_what_they_print(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    value = {module.__name__: module for module in (timbrelib, *MODULES)}.get(name) or PUBLIC[name]
    tests = FINDER.find(value, name, globs={})
    for test in [test for test in tests if test.name == name or not inspect.ismodule(value)]:
        report = []
        doctest.DocTestRunner().run(test, out=report.append)
        assert not report, "".join(report)
    assert not list(tmp_path.iterdir())  # what an example writes, it writes into a temporary folder
    plt.close("all")


@pytest.mark.parametrize("name", [name for name in PUBLIC if not name.startswith("timbrelib.plots.")])
def test_every_public_name_has_an_example(name):
    used = shown(PUBLIC[name])
    assert used
    assert name in CLASSES or name.rpartition(".")[2] in used  # some classes are only returned


@pytest.mark.parametrize("name", CLASSES)
def test_every_method_is_in_an_example(name):
    examples = shown(CLASSES[name])
    assert not [method for method in methods(CLASSES[name]) if not re.search(rf"\.{method}\b", examples)]


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if not name.startswith("timbrelib.plots.")])
def test_every_argument_is_described(name):
    function = FUNCTIONS[name]
    arguments = [argument for argument in inspect.signature(function).parameters if argument not in ("self", "cls")]
    described = inspect.getdoc(function) or ""
    assert not [argument for argument in arguments if not re.search(rf"\b{argument}\b", described)]


@pytest.mark.parametrize("name", [name for name, function in FUNCTIONS.items() if raises(function)])
def test_errors_are_described(name):
    assert "Raises\n------" in inspect.getdoc(FUNCTIONS[name])


@pytest.mark.parametrize("name", [name for name, cls in CLASSES.items() if "__post_init__" in vars(cls)])
def test_errors_of_settings_are_described(name):
    assert "Raises\n------" in inspect.getdoc(CLASSES[name])


def test_every_descriptor_is_public():
    assert {f"timbrelib.descriptors.{name}" for name in DESCRIPTORS} <= set(PUBLIC)
