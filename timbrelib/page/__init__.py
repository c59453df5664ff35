"""The demo page, and the execution of the notebooks that write its figures and sounds."""

from timbrelib.files import require_packages

require_packages("jinja2", "mistune", "nbclient", "nbformat", "traitlets")
