"""The drawing pad: Python in the kernel, plain JavaScript in the browser."""

from timbrelib.files import require_packages

require_packages("ipywidgets", "anywidget", "traitlets")
