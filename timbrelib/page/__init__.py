"""The demo page, and the notebooks that make its figures and sounds."""
