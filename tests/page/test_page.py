"""Build the demo page from the committed files, and open it from disk in Chromium."""

import re
from urllib.parse import unquote

import pytest
import soundfile
from browser import CHROMIUM
from conftest import ROOT, sine
from PIL import Image
from playwright.sync_api import expect

import timbrelib
from timbrelib.model.registry import shipped_models
from timbrelib.page.builder import build_page, embedded_json
from timbrelib.page.engine_files import write_model
from timbrelib.page.examples import parse_name
from timbrelib.page.scores import main_scores, read_cells, read_scores
from timbrelib.page.showcase import SHOWCASES

FIGURES, AUDIO, SCORECARD = ROOT / "figures", ROOT / "Audio_Exemple", ROOT / "docs" / "scorecard.md"
SCREENSHOTS = ROOT / "build" / "screenshots"
VIEWS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return build_page(FIGURES, AUDIO, SCORECARD, tmp_path_factory.mktemp("page") / "site", ["female", "violin"])


@pytest.fixture
def open_page(browser):
    """Open a file; fail at the end if the console has an error or another host was asked for something."""
    pages, errors, requests = [], [], []

    def opened(path, **view):
        page = browser.new_page(**view)
        page.on("console", lambda message: message.type in ("error", "warning") and errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or requests.append(request.url))
        pages.append(page)
        page.goto(path.as_uri())
        return page

    yield opened
    for page in pages:
        page.close()
    assert (errors, requests) == ([], [])


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Files that the notebooks would write for an unknown timbre; the page's models are left out, as they take long."""
    monkeypatch.setattr("timbrelib.page.builder.write_model", lambda name, folder: None)
    for name in ("kazoo_roughness_visualize", "kazoo_roughness_decode_sin", "transfer_speech_kazoo", "a_sketch"):
        (tmp_path / "figures").mkdir(exist_ok=True)
        Image.new("RGB", (60, 40)).save(tmp_path / "figures" / f"{name}.png")
    for name in ("kazoo_roughness_sin", "transfer_speech_kazoo", "transfer_speech_kazoo_input", "a & b"):
        timbrelib.save_audio(tmp_path / "audio" / f"{name}.wav", sine(440, 0.1))
    (tmp_path / "scorecard.md").write_text(
        "# Scorecard\n\n## kazoo\n\nSee [notebook 10](../notebooks/10_evaluation.ipynb), <b>bold</b>.\n\n"
        "| sound | made by | error | RPA |\n|---|---|---|---|\n"
        "| kazoo_roughness_sin | published | 20 % | - |\n"
        "| kazoo_roughness_sin | paper's method | 9 % | - |\n"
        "| kazoo_roughness_sin | this library | 1.5 % | 99 % |\n"
        "| centroid sin | this library, rendered now | 2 % | - |\n\n"
        "| measure | here | published |\n|---|---|---|\n"
        "| kazoo_roughness_sorted | Spearman 0.9 | - |\n| training | 7 minutes | - |\n"
    )
    return tmp_path


def built(folder):
    """Build the page from such folders and return its text."""
    index = build_page(folder / "figures", folder / "audio", folder / "scorecard.md", folder / "site")
    return index.read_text(encoding="utf-8").replace("\xa0", " ")


def test_every_figure_and_sound_is_on_the_page_once(index):
    page = index.read_text(encoding="utf-8")
    shown = [unquote(name) for name in re.findall(r'<img src="figures/([^"]+)"', page)]
    played = [unquote(name) for name in re.findall(r'<audio controls [^>]*src="audio/([^"]+)"', page)]
    assert sorted(shown) == sorted(path.name for path in FIGURES.glob("*.png"))
    others = ("bassoon_", "clarinet_", "flute_", "oboe_", "saxophone_", "viola_")  # not on the published page
    wavs = [path.stem for path in AUDIO.glob("*.wav")]  # make figures adds sorted traversals to those of the repository
    on_page = [name for name in wavs if not (name.startswith(others) and name.endswith("_sorted"))]
    assert sorted(played) == sorted(f"{name}.mp3" for name in on_page)
    for name in shown:
        assert (index.parent / "figures" / name).read_bytes() == (FIGURES / name).read_bytes()


def test_the_reference_is_linked_if_it_was_built(folders):
    assert "api/index.html" not in built(folders)
    (folders / "site" / "api").mkdir()
    (folders / "site" / "api" / "index.html").touch()
    assert 'href="api/index.html"' in built(folders)


def test_an_example_shows_its_scores_beside_the_published_ones(index):
    page = index.read_text(encoding="utf-8").replace("\xa0", " ")
    example = page.split("<h4>centroid, sinusoidal target</h4>")[1].split("</article>")[0]
    row = r"\| violin_centroid_sin \| {} \| (.+?) \| (.+?) \| (.+?) \|"
    for made_by, shown in {
        "published": "published",
        "paper's method": "paper&#39;s method",
        "this library": "here",
    }.items():
        ends, error, spearman = re.search(row.format(made_by), SCORECARD.read_text(encoding="utf-8")).groups()
        assert f"<dt>{shown}</dt><dd>target range {ends}, error {error}, Spearman {spearman}, jumps/s" in example


def test_scores_are_read_by_sound_and_maker(folders):
    assert read_scores((folders / "scorecard.md").read_text()) == {
        "kazoo_roughness_sin": {
            "published": "error 20 %",
            "paper's method": "error 9 %",
            "here": "error 1.5 %, RPA 99 %",
        },
        "kazoo_roughness_sorted": {"here": "Spearman 0.9"},
    }


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("violin_centroid_decode_sin", ("violin", "centroid_sin", "")),
        ("violin_centroid_sin_noise", ("violin", "centroid_sin", "noise")),
        ("violin_fundamental_centroid_sin", ("violin", "fundamental_centroid_sin", "")),
        ("violin_line_input", ("violin", "line", "input")),
        ("alto_sax_flatness_sorted", ("alto_sax", "sorted", "flatness")),
        ("alto_sax_sorted", ("alto_sax", "sorted", "")),
        ("transfer_violin_alto_sax_input", ("transfer", "violin_alto_sax", "input")),
        ("train_before", ("training", "train", "before")),
        ("horn_reconstruction", ("training", "reconstruction", "horn")),
        ("horn_centroid_sin", ("more", "horn_centroid_sin", "sound")),
        ("sing_centroid_decode_sin", ("sing", "centroid_sin", "")),
        ("sing_fem_centroid_decode_exp", ("sing_fem", "centroid_exp", "")),
        ("sing_fem_fundamental_exp", ("sing_fem", "fundamental_exp", "")),
    ],
)
def test_the_name_of_a_file_gives_its_place_on_the_page(name, home):
    assert parse_name(name, {"violin", "alto", "alto_sax", "sing", "sing_fem"}) == home


def test_the_female_voice_has_a_section_after_the_other_voice(folders):
    for name in ("sing_centroid_visualize", "sing_fem_centroid_visualize", "sing_fem_centroid_decode_exp"):
        Image.new("RGB", (60, 40)).save(folders / "figures" / f"{name}.png")
    for name in ("sing_fem_centroid_exp", "sing_fem_fundamental_exp"):
        timbrelib.save_audio(folders / "audio" / f"{name}.wav", sine(440, 0.1))
    titles = re.findall(r"<h[34][^>]*>([^<]+)<", built(folders))
    assert titles[:6] == [
        "Singing", "centroid, distribution over the codebook",
        "Female voice", "centroid, distribution over the codebook", "centroid, log/exp target",
        "fundamental, log/exp target",
    ]  # fmt: skip


def test_an_input_that_is_not_a_recording_is_called_generated(folders):
    for name in ("train_original", "violin_line_input"):
        timbrelib.save_audio(folders / "audio" / f"{name}.wav", sine(440, 0.1))
    captions = dict(re.findall(r'src="audio/([^"]+)\.mp3" aria-label="([^"]+)"', built(folders)))
    assert captions["violin_line_input"] == "Violin, generated melody as target: input (generated)"
    assert captions["train_original"] == "Training and reconstruction, short training run: original (generated)"
    assert captions["transfer_speech_kazoo_input"] == (
        "Timbre transfer, generated speech, played by the kazoo model: input (generated)"
    )


def test_the_page_names_the_number_of_codes(index):
    page = index.read_text(encoding="utf-8")
    sizes = {timbrelib.load_model(name).config.n_codes for name in shipped_models()}
    (named,) = set(re.findall(r"timbre of an instrument as (.+?) codes", page))
    assert {int(size.replace(",", "")) for size in named.split(" to ")} == {min(sizes), max(sizes)}


def test_a_new_timbre_or_descriptor_needs_no_new_code(folders):
    page = built(folders)
    titles = re.findall(r"<h[34][^>]*>([^<]+)<", page)
    assert titles[:8] == [
        "Kazoo", "roughness, distribution over the codebook", "roughness, sinusoidal target",
        "Timbre transfer", "generated speech, played by the kazoo model", "More", "a &amp; b", "a sketch",
    ]  # fmt: skip
    assert "<dd>error 1.5 %, RPA 99 %</dd></div>" in page
    assert 'src="audio/a%20%26%20b.mp3"' in page


def test_the_scorecard_becomes_a_part_of_the_page(folders):
    scorecard = built(folders).split('id="the-scorecard"')[1].split("</section>")[0]
    assert scorecard.count("Scorecard</h") == 1, "its title is left out"
    assert "<h3>kazoo</h3>" in scorecard
    assert "<td>7 minutes</td>" in scorecard
    assert "See notebook 10, &lt;b&gt;bold" in scorecard, "links to other files are left out"


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        ("figures/*", "there are no figures in .*figures: run 'make figures' first"),
        ("audio/*", "there are no sounds in .*audio: run 'make figures' first"),
        ("scorecard.md", "there is no scorecard .*scorecard.md: run 'make figures' first"),
    ],
)
def test_a_missing_input_is_reported_before_anything_is_written(folders, gone, sentence):
    for path in folders.glob(gone):
        path.unlink()
    with pytest.raises(FileNotFoundError, match=sentence):
        built(folders)
    assert not (folders / "site").exists()


def test_the_main_scores_say_how_closely_a_sound_follows_and_what_it_is_heard_as():
    cells = read_cells(SCORECARD.read_text(encoding="utf-8"))
    brightness, pitch = (main_scores(cells, name) for name in ("violin_centroid_sin", "violin_fundamental_sin"))
    for scores in (brightness, pitch):
        assert list(scores)[1:] == ["pitch jumps per second", "heard as violin"]
        assert all(list(row) == ["published", "paper's method", "here"] for row in scores.values())
    assert brightness["mean error, % of the range"]["here"] == cells["violin_centroid_sin"]["here"]["error"]
    assert pitch["within 50 cents of the target"]["here"] == cells["violin_fundamental_sin"]["here"]["RPA 50 cents"]
    assert main_scores(cells, "kazoo_roughness_sin") == {}


def test_embedded_text_cannot_end_its_script():
    assert "<" not in embedded_json({"</script><b>": "<!--"})


def test_the_first_screen_and_the_whole_site_are_small(index, tmp_path):
    first = index.stat().st_size + (index.parent / "models" / "violin.js").stat().st_size
    assert first <= 1.5e6
    size = sum(
        path.stat().st_size for path in index.parent.rglob("*") if path.is_file() and path.parent.name != "models"
    )
    size += sum(write_model(name, tmp_path).stat().st_size for name in shipped_models())
    assert size <= 25e6


def test_the_same_files_make_the_same_page(folders):
    built(folders)
    before = {path: path.read_bytes() for path in (folders / "site").rglob("*") if path.is_file()}
    built(folders)
    assert {path: path.read_bytes() for path in (folders / "site").rglob("*") if path.is_file()} == before


@needs_chromium
@pytest.mark.parametrize("name", VIEWS)
def test_the_page_reads_well_in_light_in_dark_and_on_a_phone(index, open_page, name):
    page = open_page(index, **VIEWS[name])
    page.locator("#instrument[aria-busy=false]").wait_for()
    page.evaluate(
        "Promise.all([...document.images].filter((image) => image.offsetParent)"
        ".map((image) => { image.loading = 'eager'; return image.decode(); }))"
    )
    size = VIEWS[name]["viewport"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    texts = page.locator(".chart text").evaluate_all(
        "all => all.map((one) => parseFloat(getComputedStyle(one).fontSize))"
    )
    assert min(texts) >= 11, "px of the labels of figures"
    page.evaluate("scrollTo(0, 3000)")
    assert page.locator("nav").evaluate("one => one.getBoundingClientRect().top") >= 0, (
        "the table of contents stays in view"
    )
    page.evaluate("scrollTo(0, 0)")
    height = min(6000, page.evaluate("document.documentElement.scrollHeight"))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(
        path=SCREENSHOTS / f"page_{name}.png",
        full_page=True,
        clip={"x": 0, "y": 0, "width": size["width"], "height": height},
    )


@needs_chromium
def test_a_showcase_plays_one_sound_at_a_time_and_its_cursor_follows(index, open_page):
    page = open_page(index)
    first, second = (page.locator(f"#show-{name}") for name in list(SHOWCASES)[:2])
    assert page.locator(".showcase").count() == page.locator(".showcase path.published").count() == len(SHOWCASES) == 5

    def playing():
        return page.locator("audio").evaluate_all(
            "all => all.filter((one) => !one.paused).map((one) => one.getAttribute('src'))"
        )

    chart = first.locator("svg.chart").bounding_box()
    first.locator("svg.chart").click(position={"x": 46 + 0.5 * (chart["width"] - 56), "y": 100})
    expect(first.get_by_role("button", name="Pause")).to_be_visible()
    page.wait_for_timeout(1000)
    x, time = first.evaluate(
        """one => [Number(one.querySelector(".cursor").getAttribute("x1")), one.querySelector("audio").currentTime]"""
    )
    assert time > 12
    seconds = soundfile.info(AUDIO / "violin_centroid_sin.wav").duration
    assert (x - 46) / (chart["width"] - 56) == pytest.approx(time / seconds, abs=0.02)
    first.get_by_label("Paper's method", exact=True).check()
    expect(first.get_by_role("button", name="Pause")).to_be_visible()
    assert playing() == ["audio/violin_centroid_sin_paper.mp3"]
    assert first.locator("audio").nth(1).evaluate("one => one.currentTime") > time
    second.get_by_role("button", name="Play").click()
    expect(second.get_by_role("button", name="Pause")).to_be_visible()
    assert playing() == ["audio/violin_fundamental_sin.mp3"]
    field = page.locator(".stage canvas").first
    field.scroll_into_view_if_needed()
    field.click()
    assert playing() == []


@needs_chromium
def test_another_model_can_be_chosen_and_its_credits_are_shown(index, open_page):
    page = open_page(index)
    page.locator("#instrument[aria-busy=false]").wait_for()
    menu = page.locator("[name=model]")
    assert menu.locator("option").all_text_contents() == ["violin", "female voice"]
    menu.select_option("female")
    expect(page.locator("[data-part=credits]")).to_contain_text("female voice: CC BY-SA 4.0. Learned from")
    assert page.evaluate("document.querySelector('#instrument').instrument.table.name") == "female"


@needs_chromium
def test_a_link_to_something_folded_unfolds_it(index, open_page):
    page = open_page(index)
    page.get_by_role("link", name="Scorecard").click()
    expect(page.locator("#the-scorecard table").first).to_be_visible()


@needs_chromium
def test_every_sound_loads_and_has_its_length(index, open_page):
    page = open_page(index)
    lengths = page.locator("audio").evaluate_all(
        """players => Promise.all(players.map(player => new Promise((done, fail) => {
            player.onloadedmetadata = () => done([decodeURI(player.getAttribute('src')), player.duration]);
            player.onerror = () => fail(new Error(player.src));
            player.preload = "metadata";
            player.load();
        })))"""
    )
    assert lengths
    for address, seconds in lengths:
        name = address.removeprefix("audio/").removesuffix(".mp3").removesuffix("_paper")
        assert seconds == pytest.approx(soundfile.info(AUDIO / f"{name}.wav").duration, abs=0.05), address


@needs_chromium
def test_every_link_has_a_target_and_every_source_is_local(index, open_page):
    page = open_page(index)
    links = page.locator("a[href]").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    sources = page.locator("[src], link[href]").evaluate_all(
        "elements => elements.map(element => element.getAttribute('src') ?? element.getAttribute('href'))"
    )
    page.locator("#instrument[aria-busy=false]").wait_for()
    marks = page.locator("[id]").evaluate_all("elements => elements.map(element => '#' + element.id)")
    assert len(marks) == len(set(marks))
    for link in links:
        assert link.startswith("https://") or link in marks or (index.parent / unquote(link)).is_file(), link
    for source in sources:
        assert source == "data:," or (index.parent / unquote(source)).is_file(), source


@needs_chromium
def test_every_player_and_figure_has_a_label_of_its_own(index, open_page):
    page = open_page(index)
    labels = page.locator("audio[controls], #examples img").evaluate_all(
        "all => all.map(one => one.getAttribute('aria-label') ?? one.alt)"
    )
    assert "Violin, centroid, sinusoidal target: decoded" in labels
    assert all(labels)
    assert len(set(labels)) == len(labels)
