from pathlib import Path

import numpy as np
import pytest
from conftest import sine, white_noise

from timbrelib.audio.frames import N_BINS
from timbrelib.recordings.corpus import Recording
from timbrelib.recordings.training_frames import (
    FLOOR_FILE,
    LEVEL_FILE,
    NOISE_FILE,
    cut_frames,
    load_frames,
    save_frames,
)


def test_frames_on_disk_are_those_in_memory(tmp_path, phrases):
    shifts = (0.0, 1.0)
    n_frames = save_frames(tmp_path, phrases, shifts)
    held = cut_frames(phrases, shifts)
    assert n_frames == len(held.floor)
    with load_frames(tmp_path) as stored:
        for column, dtype in (("level", np.float16), ("noise", np.uint8), ("floor", np.float32)):
            np.testing.assert_array_equal(getattr(stored, column)[:], getattr(held, column))
            assert getattr(stored, column).dtype == dtype
        assert stored.level.shape == stored.noise.shape == (n_frames, N_BINS)


def test_frames_on_disk_are_closed_after_their_block_even_if_an_error_keeps_a_reference(tmp_path, phrases):
    save_frames(tmp_path, phrases[:1])
    with load_frames(tmp_path) as frames:
        rows = [frames.level[:5], frames.noise[np.array([4, 0])]]
        with pytest.raises(IndexError) as kept:
            frames.level[10**9]
    assert kept.traceback
    assert str(tmp_path) not in Path("/proc/self/maps").read_text(encoding="utf-8")
    assert [len(block) for block in rows] == [5, 2]
    with pytest.raises(ValueError, match="closed: load them again"):
        frames.level[0]


def test_every_frame_has_its_own_share_of_noise():
    frames = cut_frames([Recording("sine", sine(1000)), Recording("noise", white_noise())])
    at_the_sine = frames.noise[:, 92:95].mean(axis=1) / 255  # (frames,)
    assert at_the_sine[4:40].max() < 0.05
    assert at_the_sine[48:84].mean() > 0.7


def test_inaudible_frames_are_left_out_of_all_columns():
    sound = np.concatenate([sine(1000), np.zeros(22_050, np.float32), white_noise()])
    frames = cut_frames([Recording("both", sound)])
    assert len(frames.level) == len(frames.noise) == len(frames.floor)
    assert 86 < len(frames.level) < 96  # of 130
    loudest = frames.level.argmax(axis=1)
    np.testing.assert_array_equal(loudest[:40], 93)
    assert (frames.noise[4:40, 93] < 13).all()
    assert frames.noise[-40:-4, 93].mean() > 0.7 * 255


@pytest.mark.parametrize("name", [LEVEL_FILE, NOISE_FILE, FLOOR_FILE])
def test_truncated_frames_on_disk_are_refused(tmp_path, phrases, name):
    save_frames(tmp_path, phrases[:1])
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match=r"incomplete .* restart the training with --replace"):
        load_frames(tmp_path).__enter__()


@pytest.mark.parametrize("name", [LEVEL_FILE, NOISE_FILE, FLOOR_FILE])
def test_a_missing_file_of_frames_is_noticed(tmp_path, phrases, name):
    save_frames(tmp_path, phrases[:1])
    (tmp_path / name).unlink()
    with pytest.raises(ValueError, match="incomplete or those of another release"):
        load_frames(tmp_path).__enter__()


def test_recordings_without_audible_frames_are_refused(tmp_path):
    assert save_frames(tmp_path, []) == 0
    with pytest.raises(ValueError, match="no audible frames"):
        load_frames(tmp_path).__enter__()
