import numpy as np
import pytest
import torch

from timbrelib.audio.frames import N_BINS
from timbrelib.recordings.training_frames import Frames, load_frames, save_frames
from timbrelib.training.batches import Batches, copy_to_device


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    return Frames(
        rng.uniform(-80, 0, (20, N_BINS)).astype(np.float16),
        rng.integers(0, 256, (20, N_BINS), dtype=np.uint8),
        rng.uniform(-80, -20, 20).astype(np.float32),
    )


def check(batches, frames, rows):
    """Gather rows, and compare them with those of the frames."""
    level, noise, floor = (column.cpu() for column in batches.gather(torch.tensor(rows)))
    assert {column.dtype for column in (level, noise, floor)} == {torch.float32}
    np.testing.assert_array_equal(level, frames.level[rows].astype(np.float32))
    np.testing.assert_allclose(noise, frames.noise[rows] / 255, rtol=1e-6)
    np.testing.assert_array_equal(floor, frames.floor[rows])


def test_a_batch_has_the_frames_that_are_asked_for(frames):
    frames.noise[3, :2] = [0, 255]
    batches = Batches(frames, torch.device("cpu"))
    for rows in ([3], [19, 0, 3, 3], list(range(20))):
        check(batches, frames, rows)
    np.testing.assert_array_equal(batches.gather(torch.tensor([3]))[1][0, :2], [0, 1])


def test_frames_mapped_from_files_are_gathered(tmp_path, phrases):
    save_frames(tmp_path, phrases[:1])
    with load_frames(tmp_path) as frames:
        check(Batches(frames, torch.device("cpu")), frames, [5, 100, 5])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("share", [0, 0.5])
def test_a_gpu_gathers_the_same_frames_whether_or_not_it_holds_them(frames, monkeypatch, share):
    monkeypatch.setattr("timbrelib.training.batches.MAX_RESIDENT", share)
    batches = Batches(frames, torch.device("cuda"))
    assert bool(batches.resident) == (share > 0)
    check(batches, frames, [19, 0, 3, 3])
    assert batches.gather(torch.tensor([1]))[0].device.type == "cuda"


@pytest.mark.parametrize("block", [3, 2**16])
def test_columns_are_copied_to_a_device_in_blocks(frames, monkeypatch, block):
    monkeypatch.setattr("timbrelib.training.batches.BLOCK", block)
    for column in (frames.level, frames.noise, frames.floor):
        np.testing.assert_array_equal(copy_to_device(column, torch.device("cpu")).numpy(), column)
