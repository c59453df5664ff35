"""The page's instrument in Chromium, from disk and from a server: played, drawn, saved, and measured in Python."""

import base64
import re
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from browser import CHROMIUM
from conftest import sine
from PIL import Image
from playwright.sync_api import expect

import timbrelib
from timbrelib.audio.frames import HOP, N_FFT, SAMPLE_RATE, spectra
from timbrelib.control.instruments.compact_table import write_compact_table
from timbrelib.descriptors import centroid
from timbrelib.descriptors.pitch import track_pyin
from timbrelib.page.builder import build_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
DESKTOP = {"viewport": {"width": 1280, "height": 720}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
FAKE_MIDI = """
window.port = { name: "simulated keyboard", onmidimessage: null };
navigator.requestMIDIAccess = async () => ({ inputs: new Map([["1", window.port]]), onstatechange: null });
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A page with the violin, one figure and one sound."""
    root = tmp_path_factory.mktemp("instrument")
    (root / "figures").mkdir()
    Image.new("RGB", (60, 40)).save(root / "figures" / "a_sketch.png")
    timbrelib.save_audio(root / "audio" / "a_sketch.wav", sine(440, 1.0))
    (root / "scorecard.md").write_text("# Scorecard\n")
    return build_page(root / "figures", root / "audio", root / "scorecard.md", root / "site", ["violin"]).parent


@pytest.fixture(scope="module")
def server(site):
    """The address of a static server of the page."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


@pytest.fixture
def open_page(browser, site):
    """Open the page; fail at the end if the console has an error, or if anything was asked for after the model."""
    opened = []

    @contextmanager
    def opening(address=None, script="", **view):
        page, errors, requests = browser.new_page(**(view or DESKTOP)), [], []
        page.on("console", lambda message: message.type in ("error", "warning") and errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("data:", "blob:")) or requests.append(request.url))
        page.add_init_script(script)
        root = address or site.as_uri()
        page.goto(f"{root}/index.html")
        page.locator("#instrument[aria-busy=false]").wait_for()
        assert requests == [f"{root}/index.html", f"{root}/models/violin.js"]
        opened.append(page)
        yield page
        assert errors == []
        assert len(requests) == 2, "no network after the model has loaded"

    yield opening
    for page in opened:
        page.close()


@pytest.fixture
def page(open_page):
    with open_page() as page:
        yield page


class Field:
    """The field of a page, played with the mouse or a finger."""

    def __init__(self, page, has_touch=False):
        self.page = page
        self.box = page.locator(".stage canvas").first.bounding_box()
        self.touch = page.context.new_cdp_session(page) if has_touch else None

    def place(self, x, y):
        return self.box["x"] + x * self.box["width"], self.box["y"] + (1 - y) * self.box["height"]

    def send(self, kind, *places):
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(self.place(*place) for place in places)]
        self.touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def press(self, x, y):
        if self.touch:
            return self.send("touchStart", (x, y))
        self.page.mouse.move(*self.place(x, y))
        self.page.mouse.down()

    def move(self, x, y):
        self.send("touchMove", (x, y)) if self.touch else self.page.mouse.move(*self.place(x, y))

    def release(self):
        self.send("touchEnd") if self.touch else self.page.mouse.up()

    def tap(self, x=0.5, y=0.5):
        """Wake the instrument by the first gesture, and wait until its sound has ended."""
        self.press(x, y)
        self.release()
        wait_until(self.page, "it.context?.state === 'running'")
        self.page.wait_for_timeout(700)


def instrument(page, expression):
    return page.evaluate(
        f"(() => {{ const it = document.querySelector('#instrument').instrument; return {expression}; }})()"
    )


def wait_until(page, expression):
    """Wait until an expression about the instrument is true; Playwright's own way needs eval, which is forbidden."""
    for _ in range(200):
        if instrument(page, expression):
            return
        page.wait_for_timeout(50)
    raise TimeoutError(expression)


@contextmanager
def recording(page):
    """Record what sounds; the list that this yields then holds the samples."""
    samples = []
    instrument(page, "it.record()")
    yield samples
    text = page.evaluate(
        """async () => {
            const samples = await document.querySelector("#instrument").instrument.stopRecording();
            let text = "";
            for (const byte of new Uint8Array(samples.buffer)) text += String.fromCharCode(byte);
            return btoa(text);
        }"""
    )
    samples.append(np.frombuffer(base64.b64decode(text), np.float32))


def steady_pitch(sound):
    """Median pitch in Hz of the voiced frames of a sound."""
    f0 = track_pyin(sound)
    return float(np.nanmedian(f0))


def cents(f0, target):
    return 1200 * np.log2(np.asarray(f0) / target)


def levels(sound, n=1024):
    """RMS of consecutive blocks."""
    return np.sqrt(np.mean(sound[: len(sound) // n * n].reshape(-1, n) ** 2, axis=1))  # (blocks, n) -> (blocks,)


@pytest.mark.parametrize(("source", "view"), [("disk", DESKTOP), ("server", PHONE)], ids=["disk", "phone, server"])
def test_a_glissando_over_the_field_follows_the_pointer_and_is_never_silent(open_page, server, source, view):
    with open_page(server if source == "server" else None, **view) as page:
        field = Field(page, "has_touch" in view)
        field.tap()
        low, high = instrument(page, "it.table.range('fundamental')")
        page.evaluate(
            """() => {
                const { instrument } = document.querySelector("#instrument"), move = instrument.move.bind(instrument);
                window.path = [];
                instrument.move = (id, aim) => {
                    path.push([instrument.context.currentTime, aim.pitch]);
                    move(id, aim);
                };
            }"""
        )
        with recording(page) as samples:
            start = instrument(page, "it.context.currentTime")
            field.press(0.4, 0.4)
            for step in range(121):
                field.move(0.4 + 0.25 * step / 120, 0.4)
                page.wait_for_timeout(16)
            page.wait_for_timeout(200)
            field.release()
        (sound,) = samples
        times, pitches = np.array(page.evaluate("path")).T  # (moves, 2) -> (moves,) each
        assert pitches[-1] == pytest.approx(low * (high / low) ** 0.65, rel=0.005)
        f0 = track_pyin(sound)
        now = start + np.arange(len(f0)) * HOP / SAMPLE_RATE
        inside = (now > times[0] + 0.2) & (now < times[-1])
        errors = [  # of the best delay of the sound
            np.abs(cents(f0[inside], np.interp(now[inside] - delay, times, pitches)))
            for delay in np.arange(-0.1, 0.15, 0.01)
        ]
        error = min(errors, key=np.nanmedian)
        assert np.mean(error < 20) > 0.95, np.nanpercentile(error, [50, 90, 99])
        sounding = levels(sound[int((times[0] + 0.15 - start) * SAMPLE_RATE) : int((times[-1] - start) * SAMPLE_RATE)])
        assert sounding.min() > 0.2 * np.median(sounding)


def test_the_first_tap_on_a_phone_sounds_although_it_only_counts_when_it_ends(open_page):
    with open_page(**PHONE) as page:
        page.evaluate(
            """() => {
                const { instrument } = document.querySelector("#instrument"), start = instrument.start.bind(instrument);
                instrument.start = async () => {
                    await start();
                    if (!instrument.recorded) instrument.record();
                };
            }"""
        )
        Field(page, has_touch=True).tap()
        page.wait_for_timeout(500)
        samples = page.evaluate(
            """async () => {
                const samples = await document.querySelector("#instrument").instrument.stopRecording();
                return [samples.length, Math.max(...samples), Math.max(...samples.slice(-500))];
            }"""
        )
        assert samples[1] > 0.01
        assert samples[2] < 1e-3, "a tap ends"


def test_several_fingers_sound_together_and_the_page_scrolls_beside_the_field(open_page):
    with open_page(**PHONE) as page:
        field = Field(page, has_touch=True)
        field.tap()
        low, high = instrument(page, "it.table.range('fundamental')")
        with recording(page) as samples:
            field.send("touchStart", (0.3, 0.3), (0.62, 0.5))
            page.wait_for_timeout(900)
            field.release()
        spectrum = spectra(samples[0])[12:30].mean(axis=0)
        for share in (0.3, 0.62):
            near = round(low * (high / low) ** share * N_FFT / SAMPLE_RATE)
            assert spectrum[near - 2 : near + 3].max() > 8 * np.median(spectrum), share
        styles = page.evaluate(
            "['.stage canvas', 'main', 'body'].map((it) => getComputedStyle(document.querySelector(it)).touchAction)"
        )
        assert styles == ["none", "auto", "auto"]
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert field.box["y"] + field.box["height"] < 844 - 100, "room for a thumb to scroll past it"


def test_brightness_rises_upwards_and_notes_snap_to_a_scale(page):
    field = Field(page)
    field.tap()
    page.locator("[name=scale]").select_option("minor")
    page.locator("[name=root]").select_option("9")  # A
    sounds = []
    for x, y in [(0.42, 0.1), (0.42, 0.8), (0.47, 0.5)]:
        with recording(page) as samples:
            field.press(x, y)
            page.wait_for_timeout(600)
            field.release()
        sounds.append(samples[0][4000:])
        midi = 69 + 12 * np.log2(steady_pitch(sounds[-1]) / 440)
        assert midi == pytest.approx(round(midi), abs=0.1)
        assert (round(midi) - 69) % 12 in (0, 2, 3, 5, 7, 8, 10)
        page.wait_for_timeout(300)
    dark, bright = (np.median(centroid(spectra(sound)[5:15])) for sound in sounds[:2])
    assert bright > 1.3 * dark


def test_a_tap_on_the_map_sounds_the_code_that_is_shown(page):
    page.get_by_label("Codes", exact=True).check()
    table = page.locator(".stage canvas").nth(1).bounding_box()
    place = table["x"] + 0.75 * table["width"], table["y"] + 0.5 * table["height"]
    page.mouse.click(*place)
    wait_until(page, "it.context?.state === 'running'")
    page.wait_for_timeout(700)
    with recording(page) as samples:
        page.mouse.down()
        page.wait_for_timeout(700)
        page.mouse.up()
    code = int(page.locator("[data-part=readout]").text_content().split(":")[0].removeprefix("code "))
    f0, brightness = page.evaluate(
        """(code) => {
            const { table } = document.querySelector("#instrument").instrument, index = table.codes.indexOf(code);
            return [table.values.fundamental[index], table.values.centroid[index]];
        }""",
        code,
    )
    sound = samples[0][4000:]
    assert np.median(centroid(spectra(sound)[5:15])) == pytest.approx(brightness, rel=0.2)
    if np.isfinite(f0):
        assert abs(cents(steady_pitch(sound), f0)) < 20


def test_keys_of_the_computer_are_a_piano_but_not_in_a_text_field(page):
    Field(page).tap()
    with recording(page) as samples:
        for key, seconds in [("KeyA", 0.7), ("KeyX", 0.1), ("KeyH", 0.7)]:
            page.keyboard.down(key)
            page.wait_for_timeout(1000 * seconds)
            page.keyboard.up(key)
            page.wait_for_timeout(400)
    f0 = track_pyin(samples[0])
    f0 = f0[np.isfinite(f0)]
    for note in (261.63, 880.0):  # C4, and A an octave up
        assert np.sum(np.abs(cents(f0, note)) < 20) > 15, note
    page.evaluate("document.querySelector('#about').append(document.createElement('input'))")
    page.locator("#about input").focus()
    page.wait_for_timeout(500)
    with recording(page) as samples:
        page.keyboard.press("KeyA", delay=300)
    assert np.abs(samples[0]).max() < 1e-3


def test_midi_notes_bend_and_a_controller_sets_their_brightness(open_page):
    with open_page(script=FAKE_MIDI) as page:
        page.get_by_role("button", name="MIDI").click()
        expect(page.locator("#instrument").get_by_role("status")).to_have_text("MIDI: simulated keyboard")
        sounds = []
        with recording(page) as whole:
            for message in ([0x90, 69, 100], [0xE0, 127, 127], [0xB0, 74, 0], [0xB0, 74, 127], [0x80, 69, 0]):
                page.evaluate("(data) => port.onmidimessage({ data })", message)
                page.wait_for_timeout(700)
                sounds.append(instrument(page, "it.recorded.length * 128"))
        parts = [part[6000:] for part in np.split(whole[0], sounds)[:5]]
        assert abs(cents(steady_pitch(parts[0]), 440)) < 20
        assert abs(cents(steady_pitch(parts[1]), 440 * 2 ** (2 / 12))) < 20
        dark, bright = (np.median(centroid(spectra(part)[3:12])) for part in parts[2:4])
        assert bright > 1.3 * dark
        assert levels(parts[4])[-1] < 1e-3, "the note has ended"


def draw_line(page, lane, start, end):
    """Draw a straight line in a lane, with the mouse."""
    box = page.locator(".lanes svg.drawing").nth(lane).locator(".plot").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"]) for x, y in (start, end)]
    page.keyboard.down("Shift")
    page.mouse.move(*places[0])
    page.mouse.down()
    for share in np.linspace(0, 1, 25):
        page.mouse.move(*(a + share * (b - a) for a, b in zip(*places, strict=True)))
        page.wait_for_timeout(16)
    page.mouse.up()
    page.keyboard.up("Shift")


def test_a_drawn_line_sounds_while_it_is_drawn_and_the_saved_file_follows_it(page, tmp_path):
    Field(page).tap()
    page.get_by_label("Draw", exact=True).check()
    page.locator("[name=seconds]").select_option("3")
    with recording(page) as samples:
        draw_line(page, 0, (0.001, 0.3), (0.999, 0.7))
    assert levels(samples[0]).max() > 0.01, "it sounds while it is drawn"
    with page.expect_download() as download:
        page.get_by_role("button", name="Save WAV").click()
    download.value.save_as(tmp_path / "drawn.wav")
    assert download.value.suggested_filename == "violin_drawn.wav"
    sound = timbrelib.load_audio(tmp_path / "drawn.wav")
    assert len(sound) / SAMPLE_RATE == pytest.approx(3, abs=0.05)
    low, high = instrument(page, "it.table.range('fundamental')")
    height = -0.06 + 1.12 * np.linspace(0.3, 0.7, len(sound) // HOP + 1)  # of the axis, in the range
    error = np.abs(cents(track_pyin(sound), low * (high / low) ** height))[5:-8]
    assert np.mean(error < 20) > 0.9  # with a brightness that no code of the low notes has
    assert levels(sound)[2:-6].min() > 0.01


def test_drawings_are_undone_and_kept_for_each_descriptor(page):
    page.get_by_label("Draw", exact=True).check()
    curve = page.locator(".lane path.drawn").first
    expect(curve).to_have_attribute("d", re.compile("^M"))
    first = curve.get_attribute("d")
    page.get_by_role("button", name="Ramp: Pitch").click()
    ramp = curve.get_attribute("d")
    assert ramp != first
    page.locator("[name=first]").select_option("rolloff")
    assert curve.get_attribute("d") not in (first, ramp)
    page.locator("[name=first]").select_option("fundamental")
    assert curve.get_attribute("d") == ramp
    page.get_by_role("button", name="Undo", exact=True).click()
    assert curve.get_attribute("d") == first
    page.get_by_role("button", name="Redo", exact=True).click()
    assert curve.get_attribute("d") == ramp


def test_a_drawing_plays_to_its_end_or_in_a_loop_and_from_a_click(page):
    page.get_by_label("Draw", exact=True).check()
    page.locator("[name=seconds]").select_option("3")
    page.get_by_label("Loop").uncheck()
    box = page.locator(".lanes svg.drawing").first.locator(".plot").bounding_box()
    page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
    wait_until(page, "it.position > 1.75")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    wait_until(page, "!it.isPlaying")
    expect(page.locator("[name=play]")).to_have_text("Play")


def test_what_was_played_is_saved(page, tmp_path):
    field = Field(page)
    page.get_by_role("button", name="Record").click()
    field.press(0.5, 0.5)
    page.wait_for_timeout(500)
    field.release()
    with page.expect_download() as download:
        page.get_by_role("button", name="Stop and save").click()
    download.value.save_as(tmp_path / "played.wav")
    low, high = instrument(page, "it.table.range('fundamental')")
    sound = timbrelib.load_audio(tmp_path / "played.wav")
    assert abs(cents(steady_pitch(sound), np.sqrt(low * high))) < 20


@pytest.mark.parametrize("view", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("mode", ["Play", "Draw"])
def test_controls_are_large_enough_and_have_names(open_page, view, mode):
    with open_page(**view) as page:
        page.get_by_label(mode, exact=True).check()
        small = page.locator("#instrument :is(button, select, .switch label, canvas)").evaluate_all(
            """all => all.filter((one) => one.offsetParent)
                .map((one) => [one.textContent.trim().slice(0, 20), one.getBoundingClientRect()])
                .filter(([, box]) => box.width < 32 || box.height < 32).map(([name]) => name)"""
        )
        assert small == []
        nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
        kinds = {"button", "checkbox", "combobox", "MenuListPopup", "slider", "radio", "application"}
        unnamed = [
            node["role"]["value"]
            for node in nodes
            if not node.get("ignored")
            and node["role"]["value"] in kinds - {"MenuListPopup"}
            and not node["name"]["value"]
        ]
        assert unnamed == []
        if view is DESKTOP:
            panel = f"[data-panel={mode.lower()}]"
            assert page.locator(panel).evaluate("one => one.getBoundingClientRect().bottom") <= 720


def test_nothing_but_the_page_itself_may_run(site, browser):
    page = browser.new_page()
    page.goto(f"{site.as_uri()}/index.html")
    page.locator("#instrument[aria-busy=false]").wait_for()
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy.startswith("default-src 'none'")
    for allowed in ("unsafe", "http", "*"):
        assert allowed not in policy
    assert page.evaluate(
        """async () => {
            const script = document.createElement("script"), image = document.createElement("div");
            script.textContent = "window.wasRun = 1";
            document.body.append(script, image);
            image.innerHTML = '<img src="x" onerror="window.wasRun = 2"><a href="javascript:window.wasRun = 3">x</a>';
            image.querySelector("a").click();
            const fetched = await fetch("models/violin.js").then(() => true, () => false);
            await new Promise((resolve) => setTimeout(resolve, 300));
            return [window.wasRun ?? null, fetched];
        }"""
    ) == [None, False]
    page.close()


def test_texts_of_a_model_never_become_html(site, violin, browser, tmp_path):
    mark = "<img src=x onerror='window.wasRun = 1'>"
    content = write_compact_table(violin.model, violin.codebook, {"licence": mark, "sources": [mark]})
    script = f'window.timbreTable("violin", "{base64.b64encode(content).decode()}");'
    page = browser.new_page()
    page.route("**/models/violin.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
    page.goto(f"{site.as_uri()}/index.html")
    page.locator("#instrument[aria-busy=false]").wait_for()
    credits = page.locator("[data-part=credits]")
    assert credits.text_content().count(mark) == 2
    assert credits.locator("*").count() == 0
    page.close()


def test_a_model_that_is_missing_is_reported_in_one_sentence(site, browser):
    page = browser.new_page()
    page.route("**/models/violin.js", lambda route: route.abort())
    page.goto(f"{site.as_uri()}/index.html")
    expect(page.locator("#instrument").get_by_role("status")).to_have_text(
        "models/violin.js cannot be loaded: keep the folder models beside the page"
    )
    page.close()
