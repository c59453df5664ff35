"""The page of the pad alone in Chromium, without a kernel: its tools, its player and its engine."""

import base64
import json
import re
import time

import numpy as np
import pytest
from browser import CHROMIUM, Pad
from playwright.sync_api import expect

from timbrelib.pad.modules import pad_source
from timbrelib.pad.target_pad import TargetPad

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
ADDRESS = "http://127.0.0.1:9/"  # never asked: the page is given below; browsers trust this host
TRAITS = ("settings", "menus", "drawing", "result", "reference", "files", "status", "table")
HARNESS = """
const revive = (key, value) => value?.bytes === undefined ? value
  : new DataView(Uint8Array.from(atob(value.bytes), (letter) => letter.charCodeAt(0)).buffer);
const state = window.state = JSON.parse(STATE, revive), listeners = {};
window.sent = [];
window.put = (name, value) => { state[name] = value; for (const react of listeners[`change:${name}`] ?? []) react(); };
const model = { get: (name) => state[name], on: (name, react) => (listeners[name] ??= []).push(react), off() {},
                send: (message) => window.sent.push(message) };
const connect = AudioNode.prototype.connect;  // listen to what reaches the loudspeaker
AudioNode.prototype.connect = function (to, ...rest) {
  if (to === this.context.destination) {
    const ear = this.context.createAnalyser(), samples = new Float32Array(ear.fftSize);
    connect.call(this, ear);
    window.level = () => { ear.getFloatTimeDomainData(samples); return Math.max(...samples.map(Math.abs)); };
  }
  return connect.call(this, to, ...rest);
};
WIDGET().render({ model, el: document.body });
"""


def page_of(browser, pad, **options):
    """Open a page that shows a pad and has no kernel."""
    for _ in range(600):
        if pad.table:
            break
        time.sleep(0.1)
    state = {name: getattr(pad, name) for name in TRAITS}
    state = json.dumps(state, default=lambda content: {"bytes": base64.b64encode(content).decode()})
    source = pad_source().replace("export default", "const WIDGET =")
    script = f"{source}\nconst STATE = {json.dumps(state)};\n{HARNESS}".replace("</", "<\\/")
    head = f"<meta charset=utf-8><meta name=viewport content=width=device-width><style>{TargetPad._css}</style>"
    html = f"<!doctype html>{head}<script type=module>{script}</script>"
    page = browser.new_page(**options)
    page.errors = []
    page.on("console", lambda message: message.type in ("error", "warning") and page.errors.append(message.text))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.route("**/*", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(ADDRESS)
    page.locator(".timbre-pad .lane").first.wait_for()
    page.locator("details").evaluate_all("panels => panels.forEach((panel) => { panel.open = true; })")
    return page


@pytest.fixture(scope="module")
def target_pad(violin, tmp_path_factory):
    pad = TargetPad("violin", folder=tmp_path_factory.mktemp("drawings"))
    yield pad
    pad.close()


def pages(browser, target_pad, descriptor):
    """Show the pad with one lane; fail at the end if the page logged an error."""
    target_pad.set(descriptor=descriptor, second="none")
    target_pad.wait()
    page = page_of(browser, target_pad)
    yield page
    assert page.errors == []
    page.close()


@pytest.fixture
def page(browser, target_pad):
    yield from pages(browser, target_pad, "centroid")


@pytest.fixture
def pitch_page(browser, target_pad):
    yield from pages(browser, target_pad, "fundamental")


def draw(page, points, lane=0):
    """Draw and return what the page sends."""
    Pad(page).draw(points, lane, wait=False)
    message = page.evaluate("window.sent.at(-1)")
    assert message["action"] == "draw"
    return np.array(message["heights"])


def test_without_a_kernel_a_drawing_sounds_while_it_is_drawn_and_after(page):
    box = Pad(page).plot()
    page.mouse.move(box["x"] + 10, box["y"] + 80)
    page.mouse.down()
    for x in range(20, 200, 20):
        page.mouse.move(box["x"] + x, box["y"] + 100)
    page.wait_for_function("window.level?.() > 0.005")
    page.mouse.up()
    page.wait_for_timeout(300)
    page.wait_for_function("window.level() > 0.005")
    expect(page.get_by_role("status")).to_have_text("working…")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_function("window.level() < 0.001")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("window.level() > 0.005")


def test_the_rendered_sound_replaces_the_engines_where_that_is(page):
    draw(page, [(0, 0.5), (0.5, 0.7), (1, 0.5)])
    page.wait_for_function("window.level?.() > 0.005")
    page.wait_for_timeout(500)
    assert page.locator("audio").evaluate("audio => audio.paused")
    page.evaluate("put('drawing', { ...state.drawing, version: 1, number: 7 })")
    page.evaluate("put('result', { ...state.result, number: 7, play: true })")
    page.wait_for_function("window.level() < 0.001")
    assert page.locator("audio").evaluate("audio => [audio.paused, audio.currentTime > 0.3]") == [False, True]


def test_a_line_is_straight_without_shift(page):
    page.get_by_role("button", name="Line").click()
    heights = draw(page, [(0.1, 0.2), (0.3, 0.9), (0.9, 0.6)])
    times = np.linspace(0, 1, len(heights))
    inside = (times > 0.11) & (times < 0.89)
    np.testing.assert_allclose(heights[inside], np.interp(times, [0.1, 0.9], [0.2, 0.6])[inside], atol=0.01)


def test_pitch_snaps_to_a_scale(pitch_page, target_pad):
    pitch_page.get_by_label("Snap pitch to").select_option("major")
    pitch_page.get_by_label("Root").select_option("D")
    heights = draw(pitch_page, [(0, 0.2), (0.5, 0.5), (1, 0.8)])
    axis = target_pad.drawing["lanes"][0]
    midi = 69 + 12 * np.log2(axis["low"] * (axis["high"] / axis["low"]) ** heights / 440)
    np.testing.assert_allclose(midi, np.rint(midi), atol=0.01)
    assert {round(note) % 12 for note in midi} == {1, 2, 4, 6, 7, 9, 11}
    expect(pitch_page.locator(".octave").first).to_be_attached()


def test_a_part_of_time_and_values_is_enlarged(page):
    before = page.locator("path.drawn").get_attribute("d")
    page.get_by_role("button", name="Time +").dblclick()
    page.get_by_label("Beats per minute").fill("120")
    expect(page.locator(".lane .beat").first).to_be_attached()
    heights = draw(page, [(0, 0.9), (1, 0.9)])
    times, changed = np.linspace(0, 1, len(heights)), np.abs(heights - 0.9) < 0.01
    assert times[changed].min() == pytest.approx(0.5 - 0.5 / 1.5**2, abs=0.02)
    assert times[changed].max() == pytest.approx(0.5 + 0.5 / 1.5**2, abs=0.02)
    page.get_by_role("button", name="Value +").click()
    higher = draw(page, [(0.4, 0), (0.6, 0)])
    assert 0.05 < higher.min() < 0.9
    assert page.locator("svg.drawing text").filter(has_text=re.compile(r"^\d{4}$")).count() >= 3
    page.get_by_role("button", name="Show all").click()
    assert len(page.locator("path.drawn").get_attribute("d")) > 0.8 * len(before)
    assert page.get_by_label("Shown from").is_disabled()


@pytest.mark.parametrize("plot", ["svg.drawing", "svg.spectrogram"])
def test_a_click_plays_from_there(page, plot):
    box = page.locator(plot).locator(".plot").bounding_box()
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 30)
    page.wait_for_function("document.querySelector('audio').currentTime > 2.95")
    assert page.locator("audio").evaluate("audio => audio.currentTime") < 5
    assert page.evaluate("window.sent") == []
    expect(page.locator(".clock")).to_contain_text("/ 5.99 s")


def test_after_a_stroke_it_plays_from_the_edit_if_asked_to(page):
    page.get_by_role("button", name="From the edit").click()
    draw(page, [(0.5, 0.5), (0.7, 0.7)])
    assert page.locator("audio").evaluate("audio => audio.currentTime") == pytest.approx(0.5 * 5.99, abs=0.1)
    page.wait_for_function("window.level?.() > 0.005")
    assert float(page.locator(".clock").text_content().split()[0]) > 2.9


def test_a_loop_repeats(page):
    page.get_by_role("button", name="Loop").click()
    box = page.locator("svg.spectrogram .plot").bounding_box()
    page.mouse.click(box["x"] + 0.97 * box["width"], box["y"] + 30)
    page.wait_for_function("document.querySelector('audio').currentTime > 5.7")
    page.wait_for_function("document.querySelector('audio').currentTime < 1")
    assert not page.locator("audio").evaluate("audio => audio.paused")


def test_two_sounds_are_compared_at_the_same_position(page):
    compare = page.get_by_role("button", name="A/B")
    expect(compare).to_be_disabled()
    page.evaluate("put('reference', { ...state.reference, label: 'the recording', sound: state.result.sound })")
    src = page.locator("audio").get_attribute("src")
    compare.click()
    assert page.locator("audio").get_attribute("src") != src
    compare.click()
    assert page.locator("audio").get_attribute("src") == src


def midi_events(content):
    """Ticks and bytes of the events of a file of one track."""
    assert content[:14] == b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 1, 224])
    assert content[14:18] == b"MTrk"
    assert int.from_bytes(content[18:22]) == len(content) - 22
    place, now, events = 22, 0, []
    while place < len(content):
        delta = 0
        while True:
            delta = delta << 7 | content[place] & 127
            place += 1
            if not content[place - 1] & 128:
                break
        now += delta
        size = 3 + content[place + 2] if content[place] == 0xFF else 3
        events.append((now, content[place : place + size]))
        place += size
    return events


def test_sound_and_pitch_are_downloaded(pitch_page, target_pad):
    with pitch_page.expect_download() as wav:
        pitch_page.get_by_role("button", name="WAV").click()
    assert wav.value.path().read_bytes() == target_pad.result["sound"]
    with pitch_page.expect_download() as midi:
        pitch_page.get_by_role("button", name="MIDI").click()
    assert midi.value.suggested_filename == "drawing.mid"
    pitch, bend, heard = None, 0, {}  # heard: by tick, since a bend comes before its note
    for tick, event in midi_events(midi.value.path().read_bytes()):
        if event[0] == 0xE0:
            bend = 2 * ((event[1] | event[2] << 7) - 8192) / 8192
        elif event[0] == 0x90:
            pitch = event[1]
        if pitch is not None:
            heard[tick / 960] = pitch + bend
    times, notes = np.array(list(heard.items())).T
    axis = target_pad.drawing["lanes"][0]
    drawn = 69 + 12 * np.log2(axis["low"] * (axis["high"] / axis["low"]) ** np.array(axis["heights"]) / 440)
    expected = np.interp(times, np.linspace(0, target_pad.drawing["seconds"], len(drawn)), drawn)
    assert np.percentile(np.abs(notes - expected), 95) < 0.05
    assert times.max() == pytest.approx(target_pad.drawing["seconds"], abs=0.01)


def test_a_dropped_sound_file_is_sent(page):
    page.locator("svg.drawing").evaluate(
        """(svg) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(["not a sound"], "a.wav"));
            svg.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }"""
    )
    page.wait_for_function("window.sent.length === 1")
    message = page.evaluate("window.sent[0]")
    assert (message["action"], message["name"], message["start"], message["size"]) == ("upload", "a.wav", 0, 11)
    assert message["lane"] == 0


def test_texts_of_the_kernel_never_become_elements(page):
    page.evaluate(
        """() => {
            const text = '<img src=x onerror="window.attacked = true">';
            put('files', { saved: [text], selected: text, exists: text });
            put('status', { number: 9, text, problem: true });
            put('reference', { ...state.reference, label: text });
            put('menus', { ...state.menus, options: { ...state.menus.options, model: [text] } });
        }"""
    )
    assert page.locator("img").count() == 0
    expect(page.get_by_role("status")).to_contain_text("<img")


def test_drawing_player_and_result_fit_one_screen_and_flatness_comes_with_a_warning(browser, target_pad):
    target_pad.set(descriptor="flatness", second="gain")
    target_pad.wait()
    page = page_of(browser, target_pad, viewport={"width": 1280, "height": 720}, forced_colors="active")
    box = page.locator("svg.spectrogram").bounding_box()
    assert box["y"] + box["height"] < 600, "the rest is for the front end"
    expect(page.locator(".lane .term").first).to_contain_text("follows only roughly")
    for curve in ("drawn", "measured"):  # in the colours of the system
        stroke, paper = page.locator(f".lane path.{curve}").first.evaluate(
            """path => [getComputedStyle(path).stroke,
                        getComputedStyle(path.ownerSVGElement.querySelector(".plot")).fill]"""
        )
        assert stroke not in (paper, "none")
    assert page.errors == []
    page.close()


def test_on_a_phone_everything_fits_and_a_finger_scrolls_beside_a_lane(browser, target_pad):
    page = page_of(browser, target_pad, viewport={"width": 390, "height": 500}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for button in page.locator("button:visible, select:visible").all():
        assert button.bounding_box()["height"] >= 32
    page.evaluate("scrollTo(0, 0)")
    touch = page.context.new_cdp_session(page)

    def swipe(x, y):
        for kind, by in [("touchStart", 0), *[("touchMove", by) for by in range(10, 200, 10)]]:
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y - by}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(300)
        return page.evaluate("scrollY")

    box = page.locator("svg.drawing .plot").first.bounding_box()
    bottom = min(box["y"] + box["height"] - 5, 490)
    assert swipe(box["x"] + 80, bottom) == 0
    assert swipe(box["x"] - 40, bottom) > 50
    assert page.errors == []
    page.close()
