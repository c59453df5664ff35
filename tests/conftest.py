"""What several tests share: sounds whose answer is known, the shipped violin, a small model."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import CHROMIUM
from playwright.sync_api import sync_playwright

import timbrelib
from timbrelib.audio.frames import SAMPLE_RATE, spectra, spectrum_gain
from timbrelib.audio.levels import unit_level
from timbrelib.control.timbre import Timbre
from timbrelib.recordings.synthetic import string_corpus, write_strings
from timbrelib.recordings.training_frames import cut_frames

ROOT = Path(__file__).parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"  # recordings, if the checkout has them next to it


def sine(frequency: float, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    """A sine of known frequency, length and amplitude."""
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency * times)).astype(np.float32)


def tone(f0: float, slope: float = 6.0, partials: int = 20) -> np.ndarray:
    """One second of a tone of known fundamental, whose partials below 10 kHz fall by `slope` dB per octave."""
    harmonics = np.arange(1, min(partials, int(10_000 / f0)) + 1)
    return sum(sine(f0 * k, amplitude=0.3 * 10 ** (-slope * np.log2(k) / 20)) for k in harmonics)


def white_noise(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """White noise of RMS 0.1."""
    return 0.1 * np.random.default_rng(seed).standard_normal(int(seconds * SAMPLE_RATE), dtype=np.float32)


def unit_spectra(*sounds: np.ndarray) -> np.ndarray:
    """Unit-gain spectra of steady sounds, float32 (sounds, N_BINS)."""
    steady = np.stack([spectra(sound)[20] for sound in sounds])
    return steady / spectrum_gain(steady)[:, None]


def model_of(magnitudes: np.ndarray, share: np.ndarray | float = 0.0) -> timbrelib.VQVAE:
    """A model of at least two codes with given unit-gain spectra and shares of noise, (n_codes, N_BINS)."""
    n_codes = len(magnitudes)
    model = timbrelib.VQVAE(timbrelib.VQVAEConfig(n_codes, code_size=n_codes, width=n_codes, blocks=1))
    level = unit_level(magnitudes, np.ones(n_codes, np.float32))  # (n_codes, N_BINS)
    share = np.broadcast_to(share, level.shape).clip(1e-9, 1 - 1e-7)
    output = torch.from_numpy(np.hstack([level, np.log(share / (1 - share))])).float()  # (n_codes, 2 * N_BINS)
    first, _, norm, last = model.decoder
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        # every code lights one unit of the only layer, whose weights are its output
        model.codebook.copy_(torch.eye(n_codes))
        first.weight.copy_(torch.eye(n_codes))
        norm.weight.fill_(1)
        lit, unlit = norm(torch.eye(n_codes))[0, :2]
        last.weight.copy_(output.T / (lit - unlit))
        last.bias.copy_(-unlit * last.weight.sum(dim=1))
    return model.eval()


def timbre_of(*sounds: np.ndarray) -> Timbre:
    """A timbre with one code for each steady sound, all of it partials."""
    model = model_of(unit_spectra(*sounds))
    return Timbre(model, timbrelib.analyse_codebook(model, cache=False))


# settings of a user's matplotlibrc: LaTeX that is not installed, a missing font, another look
FOREIGN_STYLE = {
    "text.usetex": True, "font.family": "No Such Font", "font.size": 20, "axes.grid": True, "lines.linewidth": 8,
    "figure.facecolor": "red", "legend.loc": "center", "savefig.pad_inches": 2, "axes.formatter.use_mathtext": True,
}  # fmt: skip


def png(figure) -> bytes:
    """Draw a figure as a notebook does."""
    content = BytesIO()
    figure.canvas.print_figure(content, dpi=30, bbox_inches="tight", pad_inches=0.1)
    return content.getvalue()


SLOW = (  # files that take a minute or more: they start first, so that no process waits for the other at the end
    "test_project.py", "test_resume.py", "test_recipe.py", "test_benchmarks.py", "test_notebooks.py", "test_browser.py",
    "test_other_systems.py", "test_committed_examples.py", "test_page.py", "test_instrument.py",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """Sort the tests of slow files to the front."""
    items.sort(key=lambda item: SLOW.index(item.path.name) if item.path.name in SLOW else len(SLOW))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep codebook tables of the tests out of the user's cache, in one that all processes of pytest-xdist share."""
    own = tmp_path_factory.getbasetemp()
    cache = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "cache"
    cache.mkdir(exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(cache)


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
def chromatic(_own_cache):
    """A timbre of thirteen semitones from 300 to 600 Hz, each in five brightnesses."""
    notes = 300 * 2 ** (np.arange(13) / 12)
    return timbre_of(*(tone(f0, slope) for f0 in notes for slope in (13, 11, 9, 7, 5)))


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
    config = timbrelib.TrainingConfig(steps=150, batch=128, log_every=10, seed=2)
    sizes = timbrelib.VQVAEConfig(n_codes=64, code_size=16, width=64, blocks=1)
    return timbrelib.train(cut_frames(phrases), config, sizes, progress=False)
