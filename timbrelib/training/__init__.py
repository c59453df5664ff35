"""Training: learn the timbre of a folder of recordings."""
