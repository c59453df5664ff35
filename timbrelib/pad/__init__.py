"""The drawing pad: Python in the kernel, plain JavaScript in the browser.

A message of the page goes through `timbrelib.pad.messages`, which checks it, to the drawing, to
the worker, which renders it with `timbrelib.pad.controller`, and back to the page.
"""

from timbrelib.files import require_packages

require_packages("anywidget", "traitlets")
