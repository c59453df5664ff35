"""Sound files, and the frame grid that everything shares."""
