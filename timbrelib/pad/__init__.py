"""The drawing pad: Python in the kernel, plain JavaScript in the browser."""
