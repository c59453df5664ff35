"""What several tests share: sounds whose answer is known, the shipped violin, a small model."""

import os
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM
from playwright.sync_api import sync_playwright

import timbrelib
from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.recordings.synthetic import string_corpus, write_strings
from timbrelib.recordings.training_frames import cut_frames

ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"  # recordings, if the checkout has them next to it


def sine(frequency: float, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    """A sine of known frequency, length and amplitude."""
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep codebook tables of the tests out of the user's cache."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def browser():
    """Chromium, if it is installed."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def violin(_own_cache):
    """The shipped violin, a `timbrelib.Timbre`."""
    return timbrelib.load("violin")


@pytest.fixture(scope="session")
def strings_folder(tmp_path_factory):
    """A folder of two minutes of generated strings."""
    return write_strings(tmp_path_factory.mktemp("data") / "strings", 2.0)


@pytest.fixture(scope="session")
def phrases():
    return string_corpus(0.4, seed=3)


@pytest.fixture(scope="session")
def small(phrases):
    """A small model trained briefly on generated strings, with its history."""
    config = timbrelib.TrainingConfig(steps=150, batch=128, log_every=10)
    sizes = timbrelib.VQVAEConfig(n_codes=64, code_size=16, width=64, blocks=1)
    return timbrelib.train(cut_frames(phrases), config, sizes, progress=False)
