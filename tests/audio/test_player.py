import numpy as np
from IPython.display import HTML, Audio

import timbrelib


def test_a_file_is_linked_with_its_label():
    player = timbrelib.play("../my sounds/a&b.wav", "error < 1 %")
    assert isinstance(player, HTML)
    assert '<a href="../my%20sounds/a%26b.wav">a&amp;b.wav</a>' in player.data
    assert '<audio controls preload="none" src="../my%20sounds/a%26b.wav">' in player.data
    assert player.data.startswith("error &lt; 1 %: <a")


def test_a_file_without_a_label_starts_with_its_link():
    assert timbrelib.play("a.wav").data.startswith("<a href")


def test_samples_are_embedded_at_their_own_level():
    player = timbrelib.play(np.full(2205, 0.25, np.float32))
    assert isinstance(player, Audio)
    samples = np.frombuffer(player.data[44:], np.int16)  # after the header of the WAV
    np.testing.assert_array_equal(samples, np.full(2205, int(0.25 * 32767)))
