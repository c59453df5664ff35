"""The widgets in Chromium, operated as a user would: JupyterLab 4 and Notebook 7."""

import json
import re
import shutil

import numpy as np
import pytest
import soundfile
from browser import CHROMIUM, Lab, Pad, choose_theme, run_all
from conftest import ROOT
from playwright.sync_api import expect

import timbrelib

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
SCREENSHOTS = ROOT / "build" / "screenshots"
CELL = 'import timbrelib\npad = timbrelib.TargetPad("violin", folder="drawings")\npad'
HILL = [(x, 0.5 + 0.3 * np.sin(2 * np.pi * x)) for x in np.linspace(0, 1, 60)]
TIMES = np.linspace(0, 1, 259)
HILL_HEIGHTS = np.interp(TIMES, *zip(*HILL, strict=True))


@pytest.fixture(scope="module")
def lab(tmp_path_factory, small, violin):
    violin.with_excitation("noise")  # measures its codebook here, for a kernel on a busy machine to find in the cache
    lab = Lab(tmp_path_factory.mktemp("lab"))
    timbrelib.save_model(lab.folder / "strings", *small, {})
    notebook = json.loads((ROOT / "notebooks" / "06_draw_target.ipynb").read_text(encoding="utf-8"))
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code |= {"outputs": [], "execution_count": None}
    for name in ("pad.ipynb", "reload.ipynb", "touch.ipynb", "strings.ipynb"):
        model = "strings" if name == "strings.ipynb" else "violin"
        cell = code | {"source": CELL.replace("violin", model)}
        (lab.folder / name).write_text(json.dumps(notebook | {"cells": [cell]}))
    for name in ("06_draw_target.ipynb", "drawing.csv"):
        shutil.copy(ROOT / "notebooks" / name, lab.folder)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    yield lab
    lab.stop()


@pytest.fixture(scope="module")
def page(lab, browser):
    """A page with one cell that has run."""
    with lab.notebook(browser, "pad.ipynb") as page:
        run_all(page)
        yield page


@pytest.fixture
def pad(page):
    """A new pad on that page."""
    page.locator(".timbre-pad .lane").first.evaluate("lane => lane.classList.add('old')")
    pad = run_all(page, ".timbre-pad .lane:not(.old)")
    pad.wait()
    return pad


def lanes(lab):
    """Names of the lanes in the kernel."""
    return lab.evaluate("[lane['name'] for lane in pad.drawing['lanes']]")


def drawn_heights(lab, lane=0):
    """Heights of the drawing in the kernel."""
    return np.array(lab.evaluate(f"pad.drawing['lanes'][{lane}]['heights']"))


@pytest.fixture(scope="class", params=["lab/tree", "notebooks"], ids=["JupyterLab 4", "Notebook 7"])
def lesson(lab, browser, request):
    """Notebook 06, run in a front end: its name and the page."""
    with lab.notebook(browser, "06_draw_target.ipynb", request.param) as page:
        run_all(page)
        page.get_by_text("first drawing.png").wait_for()
        page.locator("circle.code").first.wait_for(state="attached")
        yield request.param.split("/")[0], page


class TestTheLessonOnDrawing:
    def test_a_drawn_curve_is_played_measured_and_saved(self, lab, lesson):
        front, page = lesson
        pad = Pad(page)
        expect(pad.root).to_be_in_viewport()
        assert pad.sound()["paused"], "nothing plays before it is drawn"
        pad.draw(HILL)

        np.testing.assert_allclose(drawn_heights(lab), HILL_HEIGHTS, atol=0.01)
        low, high = (lab.evaluate(f"pad.drawing['lanes'][0]['{end}']") for end in ("low", "high"))
        target = np.array(lab.evaluate("pad.rendering.targets['centroid'].tolist()"))
        np.testing.assert_allclose(target, low + (high - low) * HILL_HEIGHTS, atol=0.01 * (high - low))

        sound = pad.sound()
        assert not sound["paused"]
        assert sound["seconds"] == pytest.approx(5.99, abs=0.02)
        assert sound["peak"] > 0.05
        measured = np.array(pad.curve("measured"))
        assert len(measured) == 259
        assert np.abs(measured[:, 1] - HILL_HEIGHTS).mean() < 0.02
        expect(pad.root.locator(".legend")).to_contain_text("measured: error 0.")

        name = f"a hill in {front}"
        page.get_by_label("Name", exact=True).fill(name)
        pad.press("Save")
        expect(pad.status).to_contain_text(f"saved {name}.wav, {name}.csv, {name}.json, {name}.png", timeout=20_000)
        saved = lab.folder / "drawings" / name
        assert soundfile.info(f"{saved}.wav").duration == pytest.approx(sound["seconds"], abs=0.01)
        np.testing.assert_allclose(timbrelib.load_rendering(f"{saved}.json").targets["centroid"], target, rtol=1e-4)
        assert saved.with_suffix(".png").stat().st_size > 20_000

        pad.root.screenshot(path=SCREENSHOTS / f"{name}.png")
        for control, keys in (
            (pad.drawing, ["ArrowRight", "ArrowDown", "Space", "Home", "ArrowUp", "Control+z"]),
            (page.get_by_label("Draw", exact=True), ["ArrowDown", "ArrowUp"]),
            (page.get_by_role("slider", name="Smoothness (0: exact)"), ["ArrowDown", "ArrowRight"]),
        ):
            control.focus()
            for key in keys:
                page.keyboard.press(key)
                page.wait_for_timeout(100)
                expect(control).to_be_focused()

    def test_a_click_on_the_codebook_plays_a_code(self, lesson):
        _, page = lesson
        page.keyboard.press("Shift")  # a new pad stays in view until the user does something
        codes = page.locator(".timbre-pad").last
        codes.locator("circle.code").nth(37).click(force=True)
        expect(codes.get_by_role("status")).to_contain_text("centroid")
        text = codes.get_by_role("status").text_content()
        page.wait_for_function("[...document.querySelectorAll('.timbre-pad audio')].at(-1).currentTime > 0.05")
        sound = Pad(page).sound(codes)
        assert sound["decoded"] == pytest.approx(1, abs=0.03)
        assert sound["peak"] > 0.01
        codes.locator("svg").focus()
        page.keyboard.press("ArrowRight")
        expect(codes.get_by_role("status")).not_to_have_text(text)
        codes.screenshot(path=SCREENSHOTS / "codes.png")


def test_undo_redo_and_shapes(lab, pad):
    start = drawn_heights(lab)
    pad.draw(HILL)
    drawn = drawn_heights(lab)
    pad.press("Steps")
    assert len(np.unique(drawn_heights(lab))) == 5
    pad.press("Undo")
    np.testing.assert_array_equal(drawn_heights(lab), drawn)
    pad.press("Undo")
    np.testing.assert_array_equal(drawn_heights(lab), start)
    expect(pad.root.get_by_role("button", name="Undo")).to_be_disabled()
    pad.press("Redo")
    np.testing.assert_array_equal(drawn_heights(lab), drawn)
    np.testing.assert_allclose(np.array(pad.curve("drawn"))[:, 1], drawn, atol=0.002)
    pad.press("Flat")
    assert np.ptp(drawn_heights(lab)) == 0
    expect(pad.root.locator(".legend")).to_contain_text(re.compile(r"measured: error [\d.]+ Hz"))


def test_another_descriptor_and_a_second_lane(lab, page, pad):
    shape = drawn_heights(lab)
    pad.select("Draw", "fundamental")
    expect(pad.root.locator(".lane strong")).to_have_text("Pitch")
    expect(pad.drawing.first).to_contain_text("C5 523")
    expect(pad.root.locator(".legend")).to_contain_text("raw pitch accuracy")
    np.testing.assert_array_equal(drawn_heights(lab), shape)

    pad.select("Second lane", "gain")
    pad.draw([(0, 0), (0.5, 0.5), (1, 0)], lane=1)
    gain = np.array(lab.evaluate("pad.rendering.gain.tolist()"))
    assert gain.argmax() == pytest.approx(129, abs=3)
    assert gain[[0, -1]] == pytest.approx(0, abs=0.001)

    pad.select("Second lane", "centroid")
    pad.press("Steps")
    assert lab.evaluate("list(pad.rendering.targets)") == ["fundamental", "centroid"]
    assert len(np.array(pad.curve("measured", lane=1))) == 259
    expect(pad.root.locator(".legend").last).to_contain_text("measured:")
    pad.select("Draw", "centroid")
    assert lanes(lab) == ["centroid"]
    expect(pad.drawing).to_have_count(1)


def test_length_smoothness_and_excitation(lab, page, pad):
    page.get_by_label("Length (s)", exact=True).fill("12")
    page.keyboard.press("Enter")
    pad.wait()
    assert pad.sound()["decoded"] == pytest.approx(12, abs=0.03)
    changes = "int((pad.rendering.codes[1:] != pad.rendering.codes[:-1]).sum())"
    smooth = lab.evaluate(changes)
    page.get_by_role("slider", name="Smoothness (0: exact)").focus()
    page.keyboard.press("Home")
    pad.wait()
    assert lab.evaluate("pad.settings['smoothness']") == 0
    assert lab.evaluate(changes) > smooth
    page.get_by_label("Adjust codes", exact=True).uncheck()
    page.get_by_label("Keep the note", exact=True).uncheck()
    pad.wait()
    search = "pad.rendering.search"
    assert lab.evaluate(f"({search}.retune, {search}.tilt, {search}.continuity)") == (0, 0, 0)
    pad.select("Excitation", "noise")
    assert lab.evaluate("pad.rendering.excitation") == "noise"


def test_a_control_that_is_moved_does_not_jump_back_before_the_kernel_has_answered(page, pad):
    adjust = page.get_by_label("Adjust codes", exact=True)
    adjust.evaluate("""(input) => {
        const { get, set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "checked");
        window.shown = [];
        const show = (value) => { window.shown.push(value); set.call(input, value); };
        Object.defineProperty(input, "checked", { get, set: show });
    }""")
    adjust.click()
    pad.wait()
    assert set(page.evaluate("window.shown")) == {False}


def test_the_amount_of_noise(lab, browser):
    with lab.notebook(browser, "strings.ipynb") as page:
        pad = run_all(page)
        pad.wait()
        noise = page.get_by_role("slider", name="Noise (0: locked)")
        expect(noise).to_be_enabled()
        assert lab.evaluate("pad.rendering.codebook.noise") == float(noise.input_value()) == 0.5
        noise.focus()
        page.keyboard.press("Home")
        pad.wait()
        assert lab.evaluate("pad.rendering.codebook.noise") == float(noise.input_value()) == 0
        assert lab.evaluate("pad.result['number'] == pad.drawing['number']")
        pad.select("Excitation", "locked")
        expect(noise).to_be_disabled()


def test_the_keyboard_moves_a_point_plays_and_undoes(lab, page, pad):
    pad.press("Flat")
    flat = drawn_heights(lab)
    pad.drawing.focus()
    for key in ["Home", *["ArrowRight"] * 6, *["ArrowUp"] * 5, "Shift+ArrowUp"]:
        page.keyboard.press(key)
    pad.wait()
    lifted = drawn_heights(lab) - flat
    assert lifted.argmax() == pytest.approx(259 * 6 / 24, abs=1)
    assert lifted.max() == pytest.approx(0.1, abs=0.005)
    assert np.count_nonzero(lifted) == pytest.approx(2 * 259 / 24, abs=2)
    assert "1.50 s" in pad.drawing.get_attribute("aria-valuetext")
    page.wait_for_function("document.querySelector('.timbre-pad audio').paused === false")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.timbre-pad audio').paused")
    page.keyboard.press("Space")
    page.wait_for_function("!document.querySelector('.timbre-pad audio').paused")
    for _ in range(6):
        page.keyboard.press("Control+z")
    pad.wait()
    np.testing.assert_array_equal(drawn_heights(lab), flat)
    page.keyboard.press("Control+y")
    pad.wait()
    assert np.count_nonzero(drawn_heights(lab) - flat)
    expect(pad.drawing).to_be_focused()


def test_dragging_outside_stays_at_the_edge(lab, pad):
    pad.press("Flat")
    pad.draw([(0.5, 0.5), (0.7, 1.4), (0.9, 1.4), (1.3, 1.2), (1.3, -0.5)])
    heights = drawn_heights(lab)
    assert (heights[int(0.72 * 258) : int(0.98 * 258)] == 1).all()
    assert heights[-1] == 0
    assert len(set(heights[: int(0.45 * 258)])) == 1
    expect(pad.status).to_contain_text("left the codebook's range")


def test_shift_draws_straight_lines(lab, page, pad):
    pad.press("Flat")
    page.keyboard.down("Shift")
    pad.draw([(0.1, 0.2), (0.3, 0.9), (0.5, 0.6)])
    heights = drawn_heights(lab)
    np.testing.assert_allclose(heights[26:129], np.interp(TIMES[26:129], [0.1, 0.5], [0.2, 0.6]), atol=0.01)
    pad.draw([(0.9, 0.3)])
    page.keyboard.up("Shift")
    heights = drawn_heights(lab)
    np.testing.assert_allclose(heights[130:232], np.interp(TIMES[130:232], [0.5, 0.9], [0.6, 0.3]), atol=0.01)


def test_of_drawings_in_quick_succession_the_newest_is_rendered(lab, pad):
    lab.evaluate("setattr(pad, 'shown', []) or pad.observe(lambda c: pad.shown.append(c.new['number']), 'result')")
    first = lab.evaluate("pad.drawing['number']")
    for height in (0.2, 0.4, 0.6, 0.8):
        pad.draw([(0, height), (1, height)], wait=False)
    pad.wait()
    assert drawn_heights(lab) == pytest.approx(0.8, abs=0.01)
    assert np.array(pad.curve("measured"))[:, 1].mean() == pytest.approx(0.8, abs=0.03)
    shown = lab.evaluate("pad.shown")
    assert shown == sorted(shown)
    assert shown[-1] == first + 4


def test_a_reloaded_page_shows_the_drawing_and_continues(lab, browser):
    with lab.notebook(browser, "reload.ipynb") as page:
        pad = run_all(page)
        pad.wait()
        pad.draw(HILL)
        drawn = drawn_heights(lab)
        page.keyboard.press("Control+s")
        page.wait_for_function("document.title.indexOf('•') < 0 && !document.querySelector('.jp-mod-dirty')")
        page.reload()
        page.locator(".timbre-pad:visible .lane").first.wait_for()
        pad = Pad(page)
        np.testing.assert_allclose(np.array(pad.curve("drawn"))[:, 1], drawn, atol=0.005)
        assert pad.sound()["paused"], "a page does not play when it is loaded"
        pad.draw([(0, 0.3), (1, 0.3)])
        assert drawn_heights(lab) == pytest.approx(0.3, abs=0.01)
        assert not pad.sound()["paused"]


def contrast(page, of):
    """Contrast of an element's colour to the background, as WCAG 2 defines it."""
    luminance = []
    for part in (of, ".timbre-pad"):
        colours = page.locator(part).first.evaluate(
            "e => [getComputedStyle(e).stroke, getComputedStyle(e).getPropertyValue('--paper')]"
        )
        colour = page.evaluate(
            """c => { const x = document.createElement('canvas').getContext('2d'); x.fillStyle = c;
                x.fillRect(0, 0, 1, 1); return [...x.getImageData(0, 0, 1, 1).data]; }""",
            colours[part == ".timbre-pad"],
        )
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in np.array(colour[:3]) / 255]
        luminance.append(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return (max(luminance) + 0.05) / (min(luminance) + 0.05)


def test_both_themes_are_readable(page, pad):
    pad.select("Second lane", "gain")
    pad.draw(HILL)
    pad.draw([(0, 0), (0.1, 0.6), (0.5, 0.35), (0.8, 0.75), (1, 0)], lane=1)
    papers = set()
    for theme in ("Dark", "Light"):
        choose_theme(page, theme)
        for curve, least in (("drawn", 4.5), ("measured", 4.5), ("selected", 3)):
            assert contrast(page, f".timbre-pad path.{curve}") > least, (theme, curve)
        papers.add(pad.root.evaluate("e => getComputedStyle(e).getPropertyValue('--paper')"))
        page.locator(".jp-OutputArea").first.screenshot(path=SCREENSHOTS / f"pad_{theme.lower()}.png")
    assert len(papers) == 2


def test_a_file_is_overwritten_only_after_a_question(lab, page, pad):
    name, overwrite = page.get_by_label("Name", exact=True), page.get_by_role("button", name="Overwrite")
    pad.draw(HILL)
    drawn = drawn_heights(lab)
    name.fill("twice")
    pad.press("Save")
    expect(pad.status).to_contain_text("saved twice.wav", timeout=20_000)
    written = (lab.folder / "drawings" / "twice.csv").read_bytes()
    pad.draw([(0, 0.3), (1, 0.6)])
    expect(overwrite).to_be_hidden()
    pad.press("Save")
    expect(pad.status).to_contain_text("twice.wav already exists")
    assert (lab.folder / "drawings" / "twice.csv").read_bytes() == written
    overwrite.click()
    expect(pad.status).to_contain_text("saved twice.wav", timeout=20_000)
    assert (lab.folder / "drawings" / "twice.csv").read_bytes() != written
    expect(overwrite).to_be_hidden()
    name.fill("../outside")
    pad.press("Save")
    expect(pad.status).to_contain_text("is not a name for a file")
    assert not list(lab.folder.glob("outside*"))

    ramp = drawn_heights(lab)
    pad.press("Undo")
    np.testing.assert_array_equal(drawn_heights(lab), drawn)
    pad.press("Load")
    np.testing.assert_allclose(drawn_heights(lab), ramp, atol=1e-4)


def test_a_recording_becomes_the_drawing_in_the_browser(lab, page, pad, tmp_path):
    times = np.arange(4 * 22_050) / 22_050
    siren = 300 * 2 ** (0.5 * (1 + np.sin(2 * np.pi * times / 4)))  # an octave, from 300 Hz
    tone = sum(np.sin(2 * np.pi * n * np.cumsum(siren) / 22_050) / n for n in range(1, 9))
    soundfile.write(tmp_path / "siren.wav", np.stack([0.1 * tone] * 8, axis=1), 22_050)  # 1.4 MB, so in two parts
    pad.select("Draw", "fundamental")
    pad.root.get_by_label("Sound file").set_input_files(tmp_path / "siren.wav")
    expect(page.get_by_label("Length (s)", exact=True)).to_have_value("3.99", timeout=20_000)
    pad.wait()
    target = np.array(lab.evaluate("pad.rendering.targets['fundamental'].tolist()"))
    expected = np.interp(np.arange(len(target)) * 512 / 22_050, times, siren)
    assert np.median(np.abs(1200 * np.log2(target / expected))) < 20
    assert pad.sound()["decoded"] == pytest.approx(4, abs=0.03)
    (tmp_path / "no.wav").write_text("this is not a sound")
    pad.root.get_by_label("Sound file").set_input_files(tmp_path / "no.wav")
    expect(pad.status).to_contain_text("'no.wav' cannot be read as audio")
    expect(pad.root.locator("path.measured").first).not_to_have_attribute("d", "")


def test_drawing_with_a_finger(lab, browser):
    with lab.notebook(browser, "touch.ipynb", has_touch=True) as page:
        pad = run_all(page)
        pad.wait()
        box = pad.plot()
        touch = page.context.new_cdp_session(page)
        for kind, share in [("touchStart", 0), *[("touchMove", x) for x in np.linspace(0, 1, 30)]]:
            place = {"x": box["x"] + share * box["width"], "y": box["y"] + (0.8 - 0.5 * share) * box["height"]}
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        pad.wait()
        np.testing.assert_allclose(drawn_heights(lab), 0.2 + 0.5 * TIMES, atol=0.02)


def test_every_control_has_an_accessible_name(page, pad):
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    kinds = {"button", "checkbox", "combobox", "MenuListPopup", "slider", "textbox", "spinbutton"}
    found = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if not node.get("ignored") and node["role"]["value"] in kinds
    ]
    names = {name for _, name in found}
    assert {"Timbre", "Draw", "Second lane", "Length (s)", "Excitation", "Name", "Saved"} <= names
    assert {"Noise (0: locked)", "Keep the note", "Adjust codes", "Snap pitch to", "Beats per minute"} <= names
    assert {"Smoothness (0: exact)", "Undo", "Play", "Loop", "Volume", "Line", "A/B", "Sine: Brightness"} <= names
    assert {"Save", "Load", "WAV", "MIDI", "JSON", "PNG", "Time +", "Follow a recording…"} <= names
    assert any(name.startswith("Brightness (Hz) over time") for name in names)
    assert not {kind for kind, name in found if not name} - {"MenuListPopup", "textbox"}  # of JupyterLab


def test_the_tab_key_reaches_all_controls_and_arrow_keys_set_them(lab, page, pad):
    page.get_by_label("Timbre", exact=True).focus()
    reached = []
    for _ in range(60):
        reached.append(page.evaluate("(e => e.ariaLabel || e.innerText || e.tagName)(document.activeElement)"))
        if reached[-1] == "Draw":
            page.keyboard.press("ArrowDown")
            pad.wait()
            assert lanes(lab) == ["bandwidth"]
        if reached[-1] == "Help":
            break
        page.keyboard.press("Tab")
    names = [name.split(" over time")[0] for name in reached]
    order = ["Timbre", "Draw", "Second lane", "Length (s)", "Pause", "Loop", "Undo", "Follow a recording…",
             "Sine: Spread", "Flat: Spread", "Spread (Hz)", "Position in the spectrogram of the sound", "Sound",
             "Smoothness (0: exact)", "Excitation", "Keep the note", "Adjust codes", "Snap pitch to", "Time +", "Name",
             "Save", "Saved", "Load", "WAV", "Help"]  # fmt: skip
    places = [names.index(name) for name in order]
    assert places == sorted(places), names


def test_drawing_continues_while_the_kernel_is_busy(lab, page, pad):
    with lab.busy():
        pad.draw(HILL, wait=False)
        np.testing.assert_allclose([height for _, height in pad.curve("drawn")][::26], HILL_HEIGHTS[::26], atol=0.02)
        expect(pad.status).to_have_text("working…")
        expect(pad.root.locator(".lanes")).to_have_attribute("aria-busy", "true")
    pad.wait()
    np.testing.assert_allclose(drawn_heights(lab), HILL_HEIGHTS, atol=0.01)


def test_a_click_without_shift_changes_nothing(lab, pad):
    before = drawn_heights(lab)
    pad.draw([(0.5, 0.9)])
    np.testing.assert_array_equal(drawn_heights(lab), before)
    expect(pad.root.get_by_role("button", name="Undo")).to_be_disabled()
