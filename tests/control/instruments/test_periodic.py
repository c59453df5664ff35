"""Loops for other instruments: their harmonics, noise and level."""

import numpy as np
import soxr
from conftest import sine, tone, unit_spectra, white_noise

import timbrelib
from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.audio.wav_chunks import RATE
from timbrelib.control.instruments.periodic import harmonic_amplitudes, level_loop, make_loop


def test_harmonics_have_the_amplitudes_of_the_sines_of_a_sound():
    sound = sine(331, amplitude=0.3) + sine(662, amplitude=0.1) + sine(1324, amplitude=0.2)
    amplitude = harmonic_amplitudes(timbrelib.spectra(sound)[20:21], np.array([331.0]))[0]
    np.testing.assert_allclose(amplitude[:6], [0.3, 0.1, 0, 0.2, 0, 0], atol=0.002)


def test_a_loop_has_the_spectrum_of_its_note():
    note = unit_spectra(tone(440))
    amplitude = harmonic_amplitudes(note, np.array([440.0]))
    (loop,) = make_loop(amplitude, 440, RATE, np.zeros(amplitude.shape[1]))
    np.testing.assert_allclose(np.roll(loop, RATE // 10), loop, atol=1e-9)  # 44 periods
    heard = timbrelib.spectra(soxr.resample(loop, RATE, SAMPLE_RATE).astype(np.float32))[20]
    strong = note[0] > 0.01 * note.max()
    np.testing.assert_allclose(heard[strong], note[0][strong], rtol=0.02)


def test_a_loop_has_the_level_and_the_colour_of_its_noise():
    noise = np.diff(white_noise(10.0))  # brighter than white
    level = np.sqrt(np.square(timbrelib.spectra(noise)).mean(axis=0))
    (loop,) = make_loop(np.zeros((1, 1)), 440, 4 * RATE, np.zeros(1), level[None])
    heard = timbrelib.spectra(soxr.resample(loop, RATE, SAMPLE_RATE).astype(np.float32))
    bands = np.sqrt(np.square(heard).mean(axis=0))[20:920].reshape(9, -1).mean(axis=1)
    np.testing.assert_allclose(bands, level[20:920].reshape(9, -1).mean(axis=1), rtol=0.05)


def test_a_levelled_loop_is_even_and_still_repeats():
    times = np.arange(2 * RATE) / RATE
    loop = (1 + 0.8 * np.sin(2 * np.pi * times)) * np.sin(2 * np.pi * 440 * times)
    even = level_loop(loop)
    level = np.sqrt(np.square(even).reshape(20, -1).mean(axis=1))
    np.testing.assert_allclose(level, 1, rtol=0.05)
    np.testing.assert_allclose(level_loop(np.roll(loop, 1000)), np.roll(even, 1000), atol=1e-6)
