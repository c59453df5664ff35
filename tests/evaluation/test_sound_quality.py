import numpy as np
import pytest
from conftest import sine, tone, white_noise

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.evaluation.sound_quality import SoundQuality, judge_sound


def test_a_steady_tone_is_clean_and_a_hiss_is_not():
    clean, hiss = judge_sound(tone(300), None), judge_sound(white_noise(), None)
    assert (clean.jumps, clean.flux) == pytest.approx((0, 0), abs=0.02)
    assert clean.hnr > 30
    assert hiss.hnr < 0
    assert hiss.flux > 0.3


def test_a_sound_is_heard_as_one_timbre_and_a_timbre_that_is_not_known_gives_no_number():
    timbres = ("violin", "trumpet", "flute", "singing")
    heard = [judge_sound(sine(440), timbre).heard for timbre in timbres]
    assert 0 <= sum(heard) <= 1
    assert np.isnan(judge_sound(sine(440), None).heard)
    with pytest.raises(ValueError, match="does not know 'shaker'"):
        judge_sound(sine(440), "shaker")


def test_silence_has_no_quality_and_is_heard_as_nothing():
    silence = judge_sound(np.zeros(SAMPLE_RATE, np.float32), "violin")
    assert np.isnan([silence.jumps, silence.hnr, silence.flux]).all()
    assert silence.heard == 0


def test_the_cells_of_a_table_have_units_and_a_dash_where_there_is_no_number():
    quality = SoundQuality(jumps=1.234, hnr=20.05, flux=0.12345, heard=0.756)
    assert quality.cells() == {"jumps/s": "1.2", "HNR": "20.1 dB", "flux": "0.123", "heard as": "76 %"}
    assert set(SoundQuality().cells().values()) == {"-"}
