"""WAV files with the chunks of instruments."""

import numpy as np
import pytest
import soundfile
from chunks import chunks
from conftest import sine

from timbrelib.audio.wav_chunks import encode_instrument_wav, loop_chunk, text_chunk, wavetable_chunk


@pytest.fixture
def path(tmp_path):
    content = {"clm ": wavetable_chunk(2048), "LIST": text_chunk("CC BY-SA 4.0", "Zoë"), "smpl": loop_chunk(69, 3, 8)}
    (tmp_path / "sound.wav").write_bytes(encode_instrument_wav(sine(440, 0.1), content))
    return tmp_path / "sound.wav"


def test_other_readers_find_the_sound_and_its_texts(path):
    with soundfile.SoundFile(path) as file:
        assert (file.samplerate, file.channels, file.subtype) == (44_100, 1, "PCM_16")
        assert (file.copyright, file.comment) == ("CC BY-SA 4.0", "Zoë")
        np.testing.assert_allclose(file.read(), sine(440, 0.1), atol=1 / 30_000)


def test_chunks_of_odd_length_are_padded_and_come_before_the_samples(path):
    found = chunks(path)
    assert list(found) == ["fmt ", "clm ", "LIST", "smpl", "data"]
    assert len(text_chunk("a", "")) % 2 == len(wavetable_chunk(2048)) % 2 + len(wavetable_chunk(2048)) % 2
    assert found["clm "].startswith(b"<!>2048 10000000 ")
    assert np.frombuffer(found["smpl"], "<u4").tolist()[3] == 69  # the key
    assert np.frombuffer(found["smpl"], "<u4").tolist()[-4:-2] == [3, 8]  # the loop


def test_full_scale_is_not_exceeded():
    samples = np.frombuffer(encode_instrument_wav(np.array([-1.0, 1.0, 0.0]), {})[-6:], "<i2")
    assert samples.tolist() == [-32767, 32767, 0]
