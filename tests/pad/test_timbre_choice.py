"""The pad's choice of a model, an excitation and an amount of noise."""

import json
import threading
import time

import numpy as np
import pytest
from conftest import model_of, sine, unit_spectra, white_noise

import timbrelib
from timbrelib.control.instruments.compact_table import read_compact_table
from timbrelib.pad import session
from timbrelib.pad.code_scatter import CodeScatter
from timbrelib.pad.target_pad import TargetPad
from timbrelib.synthesis.excitation import tilt_spectra

OWN_NOISE = 0.3  # amount of noise of the model `strings`


@pytest.fixture(scope="module")
def models(small, tmp_path_factory):
    """A folder of the user's own models: ``strings``, and ``shaker``, of which no code is pitched."""
    folder = tmp_path_factory.mktemp("models")
    strings, history = small
    before, strings.noise = strings.noise, OWN_NOISE
    timbrelib.save_model(folder / "strings", strings, history, {})
    strings.noise = before
    hiss = unit_spectra(*(white_noise(seed=seed) for seed in range(20)))
    shaker = model_of(tilt_spectra(hiss, np.linspace(-6, 3, len(hiss))), share=1.0)
    timbrelib.save_model(folder / "shaker", shaker, history, {})
    return folder


@pytest.fixture
def pad(models, tmp_path, monkeypatch):
    monkeypatch.setenv("TIMBRE_MODELS", str(models))
    pad = TargetPad("strings", folder=tmp_path / "drawings")
    yield pad
    pad.close()


class SlowLoad:
    """Loads timbres, but only once it may."""

    def __init__(self, monkeypatch):
        self.begun, self.may_end, self.asked = threading.Event(), threading.Event(), []
        monkeypatch.setattr(session, "load", self.load)

    def load(self, model, excitation, noise):
        self.asked.append((model, excitation, noise))
        self.begun.set()
        assert self.may_end.wait(10)
        return timbrelib.load(model, excitation, noise)


def draw(pad, height):
    """Draw a constant line as a page would, and wait until it is rendered, whatever else is still going on."""
    message = {"action": "draw", "lane": 0, "version": 1, "heights": [height, height]}
    pad._handle_custom_msg(message, [])
    for _ in range(200):
        if pad.result["number"] == pad.drawing["number"]:
            return
        time.sleep(0.05)
    raise TimeoutError(pad.status["text"])


def test_the_noise_is_the_models_own_until_it_is_set(pad):
    assert pad.settings["noise"] == pad.rendering.codebook.noise == OWN_NOISE
    pad.set(noise=0.8)
    assert pad.rendering.codebook.noise == 0.8
    pad.set(model="shaker")
    assert pad.rendering.model.name == "shaker"
    assert pad.settings["noise"] == pad.rendering.codebook.noise == 0.5
    pad.set(model="strings")
    pad.wait()
    assert pad.settings["noise"] == OWN_NOISE


def test_without_noise_the_pad_sounds_locked(pad):
    mixed = pad.rendering.audio
    pad.set(noise=0)
    silent = pad.rendering.audio
    pad.set(excitation="locked")
    np.testing.assert_array_equal(pad.rendering.audio, silent)
    assert not np.array_equal(mixed, silent)


def test_only_the_mixed_excitation_has_an_amount_of_noise_to_set(pad):
    pad.set(noise=0.8)
    for excitation in ("locked", "noise"):
        pad.set(excitation=excitation)
        assert pad.rendering.excitation == excitation
        assert "noise" in pad.menus["disabled"]
    pad.set(excitation="mixed")
    assert pad.rendering.codebook.noise == 0.8
    assert "noise" not in pad.menus["disabled"]


def test_drawings_are_rendered_while_a_codebook_is_measured(pad, monkeypatch):
    slow = SlowLoad(monkeypatch)
    pad.set(noise=0.8)
    assert slow.begun.wait(10)
    assert pad.status["text"].startswith("measuring the codebook")
    draw(pad, 0.4)
    assert pad.status["text"].startswith("measuring the codebook"), "it still is"
    before = pad.result
    slow.may_end.set()
    pad.wait()
    assert pad.status["text"] == ""
    assert pad.rendering.codebook.noise == 0.8
    np.testing.assert_allclose(pad.drawing["lanes"][0]["heights"], 0.4)
    assert pad.result["number"] > before["number"]
    assert pad.result["sound"] != before["sound"]


def test_of_timbres_chosen_in_quick_succession_the_last_is_used(pad, monkeypatch):
    slow = SlowLoad(monkeypatch)
    for noise in (0.1, 0.2, 0.6):
        pad.set(noise=noise)
        assert slow.begun.wait(10)
    slow.may_end.set()
    assert pad.rendering.codebook.noise == pad.settings["noise"] == 0.6
    assert [noise for _, _, noise in slow.asked] == [0.1, 0.6]


def test_a_drawing_that_is_opened_replaces_a_timbre_that_is_being_loaded(pad, monkeypatch):
    pad.save("as it was")
    slow = SlowLoad(monkeypatch)
    pad.set(noise=0.8)
    assert slow.begun.wait(10)
    with monkeypatch.context() as quick:
        quick.setattr(session, "load", timbrelib.load)
        pad.load("as it was")
    slow.may_end.set()
    assert pad.rendering.codebook.noise == pad.settings["noise"] == OWN_NOISE


def test_an_excitation_that_cannot_be_measured_leaves_the_pad_as_it_was(pad, monkeypatch):
    def fail(*_):
        raise ValueError("the codebook is broken: repair it")

    monkeypatch.setattr(session, "load", fail)
    pad.set(excitation="noise")
    pad.wait()
    assert pad.status["text"] == "the codebook is broken: repair it"
    assert pad.settings["excitation"] == pad.rendering.excitation == "mixed"
    draw(pad, 0.5)
    assert not pad.result["problem"]


def test_a_saved_drawing_keeps_noise_note_and_adjustment(pad):
    pad.set(noise=0.8)
    pad.set(keep_note=False)
    pad.set(adjust=False)
    rendering = pad.rendering
    pad.save("rough")
    other = TargetPad("shaker", folder=pad.folder)
    other.load("rough")
    # with six digits, which may decide between two codes that are equally near
    np.testing.assert_allclose(other.rendering.targets["centroid"], rendering.targets["centroid"], rtol=1e-5)
    assert other.rendering.codebook.noise == rendering.codebook.noise
    assert other.rendering.search == rendering.search
    assert (other.settings["keep_note"], other.settings["adjust"]) == (False, False)
    assert (other.settings["model"], other.settings["noise"]) == ("strings", 0.8)
    other.close()


def test_a_drawing_of_the_former_format_opens(pad):
    pad.set(excitation="locked")
    pad.save("former")
    path = pad.folder / "former.json"
    content = json.loads(path.read_text())
    search = {name: content["search"][name] for name in ("smoothness", "rounds", "weights")}
    rest = {key: value for key, value in content.items() if key not in ("noise", "cents", "tilt")}
    path.write_text(json.dumps(rest | {"format": 2, "search": search}))
    pad.set(excitation="mixed")
    pad.wait()
    pad.load("former")
    np.testing.assert_allclose(pad.rendering.targets["centroid"], content["targets"]["centroid"], rtol=1e-4)
    assert pad.rendering.excitation == "locked"
    assert (pad.settings["keep_note"], pad.settings["adjust"]) == (False, False)
    pad.set(excitation="mixed")
    assert pad.rendering.codebook.noise == OWN_NOISE


def test_a_note_can_be_kept_only_if_it_is_free(pad):
    assert "keep_note" not in pad.menus["disabled"]
    pad.set(second="fundamental")
    assert "keep_note" in pad.menus["disabled"]
    pad.set(second="gain")
    assert "keep_note" not in pad.menus["disabled"]


def test_a_model_without_pitched_codes_can_be_drawn_and_played(pad):
    pad.set(descriptor="fundamental")
    pad.set(model="shaker")
    assert list(pad.rendering.targets) == ["centroid"]
    assert "fundamental" not in pad.menus["options"]["descriptor"]
    assert "keep_note" in pad.menus["disabled"]
    draw(pad, 0.6)
    assert not pad.result["problem"]
    pad.follow(sum(sine(440 * n, 2.0, 0.2 / n) for n in range(1, 6)))
    pad.wait()
    assert not pad.result["problem"]
    assert "shaker.png" in [path.name for path in pad.save("shaker")]
    codes = CodeScatter("shaker", "centroid")
    codes.play(3)
    assert codes.played["text"].startswith("code 3: centroid")
    assert "fundamental" not in codes.played["text"]
    with pytest.raises(ValueError, match="no code of this model has a fundamental"):
        CodeScatter("shaker", "fundamental")


def test_the_page_gets_the_timbre_for_its_engine(pad):
    def sent(excitation):
        for _ in range(200):
            if pad.table and (table := read_compact_table(pad.table)).header["excitation"] == excitation:
                return table
            time.sleep(0.05)
        raise TimeoutError(excitation)

    table = sent("mixed")
    assert (table.header["name"], table.header["noise"]) == ("strings", OWN_NOISE)
    np.testing.assert_allclose(table.codebook["centroid"], pad.rendering.codebook["centroid"][table.codes], rtol=1e-4)
    pad.set(excitation="locked")
    assert sent("locked").header["excitation"] == pad.rendering.excitation
