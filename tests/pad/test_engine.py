"""The engine in the browser, against the library, from the same compact table."""

import base64
import gzip

import numpy as np
import pytest
from browser import CHROMIUM

from timbrelib.audio.frames import FRAME_RATE, SAMPLE_RATE, frame_gain, spectra
from timbrelib.audio.levels import cepstral_points
from timbrelib.codebook.table import Codebook
from timbrelib.control.code_path import retune
from timbrelib.control.instruments.compact_table import CompactTable, read_compact_table, write_compact_table
from timbrelib.control.matching import find_candidates
from timbrelib.control.refinement import error_unit
from timbrelib.control.search import RETUNE, Search
from timbrelib.control.targets import shape_curve
from timbrelib.control.viterbi import Transitions, cheapest_path
from timbrelib.descriptors import measure
from timbrelib.descriptors.pitch import track_pyin
from timbrelib.model.checkpoint import load_card
from timbrelib.pad.modules import engine_source
from timbrelib.synthesis.blending import CodeSpectra
from timbrelib.synthesis.excitation import synthesise

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
N_FRAMES = 130  # 3 s
HELPERS = """
const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const toBase64 = (array) => {
  let text = "";
  for (const byte of new Uint8Array(array.buffer)) text += String.fromCharCode(byte);
  return btoa(text);
};
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
"""


class Engine:
    """The engine in a page that was opened from disk, with the table of one timbre."""

    def __init__(self, page, content: bytes):
        self.page = page
        page.add_script_tag(content=engine_source() + HELPERS)
        self.run("async ([text]) => { window.table = await readTable(fromBase64(text).buffer); }", encode(content))

    def run(self, function: str, *arguments):
        return self.page.evaluate(function, list(arguments))

    def samples(self, function: str, *arguments) -> np.ndarray:
        return np.frombuffer(base64.b64decode(self.run(function, *arguments)), np.float32)


def encode(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture(scope="module")
def content(violin):
    return write_compact_table(violin.model, violin.codebook, load_card("violin"))


@pytest.fixture(scope="module")
def table(content) -> CompactTable:
    return read_compact_table(content)


@pytest.fixture(scope="module")
def blank(tmp_path_factory, browser):
    """Open an empty page from disk; fail at the end if it logged an error or asked for anything."""
    path = tmp_path_factory.mktemp("engine") / "blank.html"
    path.write_text("<!doctype html><title>engine</title><button>start</button>")
    page, problems = browser.new_page(), []
    page.on("console", lambda message: message.type in ("error", "warning") and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: request.url.startswith(("file:", "data:")) or problems.append(request.url))
    page.goto(path.as_uri())
    yield page
    page.close()
    assert problems == []


@pytest.fixture(scope="module")
def engine(blank, content):
    return Engine(blank, content)


@pytest.fixture(scope="module")
def instrument(engine):
    """The engine with its sound started by a click."""
    engine.run("""() => {
      window.instrument = new Instrument(WORKLET_SOURCE);
      document.querySelector("button").addEventListener("click", () => { window.started = instrument.start(); });
    }""")
    engine.page.click("button")
    engine.run("async () => { await started; instrument.setTable(table); }")
    return engine


def library_path(codebook: Codebook, points: np.ndarray, name: str, curve: np.ndarray):
    """The library's path search on the codes of a compact table."""
    search, curves, units = Search(), {name: curve}, {name: error_unit(codebook, name)}
    candidates, error, max_blend = find_candidates(codebook, curves, units, search)
    continuity = 0.0 if name == "fundamental" else search.continuity
    transitions = Transitions(points, codebook["fundamental"], search.smoothness, continuity)
    codes = candidates[np.arange(len(curve)), cheapest_path(candidates, error, max_blend, transitions)]
    return codes, retune(codebook, codes, curve, RETUNE) if name == "fundamental" else None


@pytest.fixture(scope="module", params=[("centroid", "sin"), ("centroid", "exp"), ("fundamental", "sin")])
def followed(request, table):
    """A curve, and the codes and cents with which the library follows it."""
    name, shape = request.param
    curve = shape_curve(shape, name, *table.codebook.percentile_range(name), N_FRAMES)
    points, _ = cepstral_points(table.spectra)
    return name, curve, *library_path(table.codebook, points, name, curve)


def test_the_table_keeps_what_a_code_sounds_like(violin, table):
    original = violin.model.spectra[table.codes]
    level, kept = (20 * np.log10(np.maximum(s / s.max(axis=1, keepdims=True), 1e-3)) for s in (original, table.spectra))
    assert np.sqrt(np.mean((level - kept) ** 2, axis=1)).mean() < 0.2  # dB
    assert np.abs(violin.model.noise_share[table.codes] - table.shares).max() <= 0.5 / 15 + 1e-6
    for name in violin.codebook.descriptors:
        np.testing.assert_array_equal(table.codebook[name], violin.codebook[name][table.codes].astype(np.float32))


def test_a_table_is_small_and_the_same_each_time(violin, content):
    assert len(content) < 1_000_000
    assert content == write_compact_table(violin.model, violin.codebook, load_card("violin"))


def test_a_large_codebook_is_thinned_out_over_its_whole_range(violin, table):
    assert len(table.codes) == 1024 == len(set(table.codes.tolist())) < len(violin.codebook)
    for name in ("centroid", "fundamental"):
        whole, part = violin.codebook.percentile_range(name), table.codebook.percentile_range(name)
        np.testing.assert_allclose(part, whole, rtol=0.05)


def test_the_path_is_that_of_the_library(engine, followed):
    name, curve, codes, cents = followed
    path = engine.run(
        "([name, curve]) => { const path = followTargets(table, { [name]: Float64Array.from(curve) });"
        " return { codes: [...path.codes], cents: path.cents && [...path.cents] }; }",
        name, curve.tolist(),
    )  # fmt: skip
    same = np.array(path["codes"]) == codes
    assert same.mean() >= 0.99
    if cents is not None:
        both = same & np.roll(same, 1) & np.roll(same, -1)
        np.testing.assert_allclose(np.reshape(path["cents"], (-1, 3))[both], cents[both], atol=0.02)


def render(engine, codes, cents, excitation) -> np.ndarray:
    return engine.samples(
        """([codes, cents, excitation]) => {
          table.hasPartials = excitation !== "noise";
          table.hasNoise = excitation !== "locked";
          const gain = new Float32Array(codes.length).fill(0.05);
          const score = { codes: Int32Array.from(codes), cents: cents && Float64Array.from(cents), gain };
          const audio = renderScore(table, score);
          table.hasPartials = table.hasNoise = true;
          return toBase64(audio);
        }""",
        codes.tolist(), None if cents is None else cents.ravel().tolist(), excitation,
    )  # fmt: skip


def test_partials_are_those_of_the_library(engine, table, followed):
    _, _, codes, cents = followed
    expected = synthesise(CodeSpectra(table.code_spectra.partials, None), codes, np.full(len(codes), 0.05), cents)
    audio = render(engine, codes, cents, "locked")
    assert len(audio) == len(expected)
    assert 10 * np.log10(np.sum(expected**2) / np.sum((audio - expected) ** 2)) >= 75  # dB


def test_noise_has_the_level_and_spectrum_of_the_librarys(engine, table, followed):
    _, _, codes, _ = followed
    expected = synthesise(CodeSpectra(None, table.code_spectra.noise), codes, np.full(len(codes), 0.05))
    audio = render(engine, codes, None, "noise")
    np.testing.assert_allclose(frame_gain(audio)[2:-2], 0.05, rtol=0.05)
    power = [
        np.square(spectra(sound)[2:-2]).mean(axis=0)[1:1025].reshape(32, 32).sum(axis=1) for sound in (audio, expected)
    ]
    loud = power[1] > 1e-5 * power[1].max()
    assert np.abs(10 * np.log10(power[0] / power[1]))[loud].max() < 3  # dB in bands of 345 Hz; both are random


def test_partials_and_noise_keep_the_gain(engine, followed):
    _, _, codes, cents = followed
    np.testing.assert_allclose(frame_gain(render(engine, codes, cents, "mixed"))[2:-2], 0.05, rtol=0.05)


def test_a_voice_glides_with_the_pointer_and_is_never_silent(instrument):
    """A glissando over an octave in two seconds, in steps of 10 ms as a pointer sends them."""
    audio = instrument.samples("""async () => {
      instrument.glide = 0.02;
      instrument.press("finger", { pitch: 330, brightness: 2000, level: 0.8 });
      await wait(0.3);
      instrument.record();
      for (let step = 0; step <= 200; step++) {
        instrument.move("finger", { pitch: 330 * 2 ** (step / 200), brightness: 2000, level: 0.8 });
        await wait(0.01);
      }
      await wait(0.3);
      const samples = await instrument.stopRecording();
      instrument.release("finger");
      return toBase64(samples);
    }""")
    gain, f0 = frame_gain(audio)[2:-2], track_pyin(audio)[2:-2]
    assert gain.min() > 0.02
    assert np.isfinite(f0).all()
    assert f0[-8:] == pytest.approx(660, rel=0.01)
    cents = 1200 * np.log2(f0 / 330)
    assert (np.diff(cents) > -20).all()
    assert np.abs(np.diff(cents)).max() < 100  # no hop


@pytest.mark.parametrize("brightness", [1500, 2000, 2600])
@pytest.mark.parametrize("pitch", [220, 440, 900])
def test_a_voice_has_the_pitch_and_brightness_that_are_asked_for(instrument, pitch, brightness):
    audio = instrument.samples(
        """async ([pitch, brightness]) => {
          instrument.press("key", { pitch, brightness, level: 0.5 });
          await wait(0.2);
          instrument.record();
          await wait(0.5);
          const samples = await instrument.stopRecording();
          instrument.release("key");
          await wait(0.3);
          return toBase64(samples);
        }""",
        pitch, brightness,
    )  # fmt: skip
    f0 = track_pyin(audio)[2:-2]
    assert np.median(f0) == pytest.approx(pitch, rel=0.003)
    assert 1200 * np.abs(np.log2(f0 / pitch)).max() < 20  # cents: a held note moves a little
    assert np.mean(frame_gain(audio)[2:-2]) == pytest.approx(0.05, rel=0.15)
    assert np.median(measure(audio, ["centroid"])["centroid"]) == pytest.approx(brightness, rel=0.1)


def test_released_voices_end(instrument):
    audio = instrument.samples("""async () => {
      instrument.press("a", { pitch: 440, brightness: null, level: 1 });
      instrument.press("b", { code: 3, level: 1 });
      await wait(0.1);
      instrument.releaseAll();
      await wait(1.2);
      instrument.record();
      await wait(0.1);
      return toBase64(await instrument.stopRecording());
    }""")
    assert len(audio) > 0
    assert not audio.any()


def test_a_score_is_heard_as_it_is_drawn(instrument, table):
    curve = shape_curve("sin", "fundamental", 300, 600, N_FRAMES)
    audio = instrument.samples(
        """async ([curve]) => {
          const path = followTargets(table, { fundamental: Float64Array.from(curve) });
          instrument.setScore({ ...path, gain: new Float32Array(curve.length).fill(0.05) });
          instrument.record();
          const ended = new Promise((resolve) => { instrument.onstop = resolve; });
          instrument.playScore();
          await ended;
          return toBase64(await instrument.stopRecording());
        }""",
        curve.tolist(),
    )  # fmt: skip
    start = np.flatnonzero(np.abs(audio) > 0)[0]
    seconds = (len(audio) - start) / SAMPLE_RATE
    assert seconds == pytest.approx(N_FRAMES / FRAME_RATE, abs=0.25)
    f0 = track_pyin(audio[start:])[: N_FRAMES - 4]
    cents = 1200 * np.abs(np.log2(f0 / curve[: len(f0)]))[3:]
    assert np.mean(cents < 20) > 0.95


def test_a_score_loops_and_can_be_replaced_while_it_sounds(instrument):
    audio = instrument.samples("""async () => {
      const score = (pitch) => ({ codes: Int32Array.from({ length: 20 }, () => 0).map(() => 0), ...followTargets(table,
        { fundamental: new Float64Array(20).fill(pitch) }), gain: new Float32Array(20).fill(0.05) });
      instrument.setScore(score(440));
      instrument.record();
      instrument.playScore({ loop: true });
      await wait(1.2);
      instrument.setScore(score(660));
      await wait(1.2);
      instrument.stopScore();
      return toBase64(await instrument.stopRecording());
    }""")
    start = np.flatnonzero(np.abs(audio) > 0)[0]
    f0 = track_pyin(audio[start:])
    assert f0[8:40] == pytest.approx(440, rel=0.005)
    assert f0[-16:-4] == pytest.approx(660, rel=0.005)


@pytest.mark.parametrize(
    "damaged",
    [b"no table", b"", gzip.compress(b"\x02\0\0\0{}", mtime=0)],
    ids=["another file", "nothing", "a header without a format"],
)
def test_what_is_not_a_table_is_refused_in_a_sentence(engine, damaged):
    said = engine.run("([text]) => readTable(fromBase64(text).buffer).catch((error) => error.message)", encode(damaged))
    assert said.endswith(": make it again")
    assert "\n" not in said
