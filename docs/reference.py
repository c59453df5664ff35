"""Build the reference of the Python interface from the docstrings: ``make docs``.

Only what ``import timbrelib`` offers is in it.  Its pages open from disk and load nothing from
another host.
"""

import argparse
import importlib
from pathlib import Path

import pdoc.doc
import pdoc.render

import timbrelib
from timbrelib.files import write_text

MODULES = ("timbrelib", "timbrelib.descriptors", "timbrelib.plots")
OUT = Path(__file__).resolve().parent.parent / "site" / "api"


def build_reference(out: Path) -> Path:
    """Write the reference to a folder, and return its index.html."""
    for name in timbrelib.__all__:  # pdoc looks for names in the module, where lazy loading does not put them
        setattr(timbrelib, name, getattr(timbrelib, name))
    pdoc.render.configure(docformat="numpy", show_source=False, footer_text=f"timbrelib {timbrelib.__version__}")
    modules = {name: pdoc.doc.Module(importlib.import_module(name)) for name in MODULES}
    for name, module in modules.items():
        write_text(out / f"{name.replace('.', '/')}.html", pdoc.render.html_module(module, modules))
    write_text(out / "search.js", pdoc.render.search_index(modules))
    index = out / "index.html"
    write_text(index, pdoc.render.html_index(modules))
    return index


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write (default: site/api)")
    print(f"open {build_reference(parser.parse_args().out)}")
