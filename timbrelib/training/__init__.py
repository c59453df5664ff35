"""Learn a timbre from a folder of recordings."""
