import numpy as np

from timbrelib.audio.frames import spectrum_gain
from timbrelib.synthesis.blending import blend_neighbours


def test_a_change_of_code_takes_three_frames():
    spectra = np.ones((2, 1025), np.float32)
    spectra[1, 100:] = 1e-3
    spectra /= spectrum_gain(spectra)[:, None]
    padded = np.repeat([0, 1], 6)
    blends, rows = blend_neighbours(spectra, np.stack([padded[:-2], padded[1:-1], padded[2:]], axis=1))
    np.testing.assert_allclose(spectrum_gain(blends), 1, rtol=1e-5)
    steady, fading = blends[rows[[0, 3, 6, 9]]], blends[rows[[4, 5]]]
    np.testing.assert_allclose(steady, spectra[[0, 0, 1, 1]], rtol=1e-5)  # a code that stays keeps its spectrum
    assert steady[0, 500] > fading[0, 500] > fading[1, 500] > steady[3, 500]
