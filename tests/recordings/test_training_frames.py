import numpy as np
import pytest

from timbrelib.recordings.training_frames import LEVEL_FILE, cut_frames, load_frames, save_frames


def test_frames_on_disk_are_those_in_memory(tmp_path, phrases):
    shifts = (0.0, 1.0)
    n_frames = save_frames(tmp_path, phrases, shifts)
    stored, held = load_frames(tmp_path), cut_frames(phrases, shifts)
    assert n_frames == len(held.floor)
    np.testing.assert_array_equal(stored.level, held.level)
    np.testing.assert_array_equal(stored.floor, held.floor)


def test_truncated_frames_on_disk_are_refused(tmp_path, phrases):
    save_frames(tmp_path, phrases[:1])
    level = tmp_path / LEVEL_FILE
    level.write_bytes(level.read_bytes()[:-2])
    with pytest.raises(ValueError, match="damaged"):
        load_frames(tmp_path)


def test_recordings_without_audible_frames_are_refused(tmp_path):
    assert save_frames(tmp_path, []) == 0
    with pytest.raises(ValueError, match="no audible frames"):
        load_frames(tmp_path)
