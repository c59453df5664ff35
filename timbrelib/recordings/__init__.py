"""Folders of recordings: scan, split, cut into training frames, download, synthesise."""
