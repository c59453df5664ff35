"""A timbre without pitch, of which the classifier knows nothing: four noises of different brightness."""

import numpy as np
from conftest import model_of, unit_spectra, white_noise

import timbrelib
from timbrelib.control.timbre import Timbre
from timbrelib.model.checkpoint import load_card, save_model

SMOOTHING = ([1.0], [0.6, 0.4], [0.5, 0.5], [0.3, 0.4, 0.3])  # filters, from bright to dull
HISTORY = {name: np.zeros(1) for name in ("step", "loss", "codes_used", "perplexity")}


def make_shaker() -> Timbre:
    """A timbre with one code for each noise."""
    sounds = [np.convolve(white_noise(seed=seed), kernel, "same") for seed, kernel in enumerate(SMOOTHING)]
    model = model_of(unit_spectra(*(sound.astype(np.float32) for sound in sounds)), share=1.0)
    model.name = "shaker"
    return Timbre(model, timbrelib.analyse_codebook(model, cache=False))


def save_shaker(folder):
    """Save the model in a folder that names it, with the card of the violin but for name and domain."""
    save_model(folder, make_shaker().model, HISTORY, load_card("violin") | {"name": folder.name, "domain": "shaker"})
    return folder
