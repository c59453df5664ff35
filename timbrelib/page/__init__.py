"""The demo page, and the execution of the notebooks that write its figures and sounds."""
