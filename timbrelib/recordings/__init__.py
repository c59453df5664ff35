"""Recordings: scan a folder, split it, load it, cut it into training frames; download and synthesise recordings."""
