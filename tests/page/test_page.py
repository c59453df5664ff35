"""Build the demo page from the committed files, and open it from disk in Chromium."""

import re
from urllib.parse import unquote

import pytest
import soundfile
from browser import CHROMIUM
from conftest import ROOT, sine
from PIL import Image

import timbrelib
from timbrelib.model.registry import shipped_models
from timbrelib.page.builder import build_page, parse_name, read_scores

FIGURES, AUDIO, SCORECARD = ROOT / "figures", ROOT / "Audio_Exemple", ROOT / "docs" / "scorecard.md"
SCREENSHOTS = ROOT / "build" / "screenshots"
VIEWS = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 800}, "is_mobile": True, "has_touch": True},
}
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return build_page(FIGURES, AUDIO, SCORECARD, tmp_path_factory.mktemp("page") / "site")


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
def folders(tmp_path):
    """Files that the notebooks would write for an unknown timbre."""
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
    played = [unquote(name) for name in re.findall(r'<audio [^>]*src="audio/([^"]+)"', page)]
    assert sorted(shown) == sorted(path.name for path in FIGURES.glob("*.png"))
    assert sorted(played) == sorted(path.name for path in AUDIO.glob("*.wav"))
    for name in shown:
        assert (index.parent / "figures" / name).read_bytes() == (FIGURES / name).read_bytes()


def test_the_reference_is_linked_if_it_was_built(folders):
    assert "api/index.html" not in built(folders)
    (folders / "site" / "api").mkdir()
    (folders / "site" / "api" / "index.html").touch()
    assert 'href="api/index.html"' in built(folders)


def test_an_example_shows_its_scores_beside_the_published_ones(index):
    page = index.read_text(encoding="utf-8").replace("\xa0", " ")
    example = page.split("<h3>centroid, sinusoidal target</h3>")[1].split("</article>")[0]
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
    titles = re.findall(r"<h[23][^>]*>([^<]+)<", built(folders))
    assert titles[1:7] == [
        "Singing", "centroid, distribution over the codebook",
        "Female voice", "centroid, distribution over the codebook", "centroid, log/exp target",
        "fundamental, log/exp target",
    ]  # fmt: skip


def test_an_input_that_is_not_a_recording_is_called_generated(folders):
    for name in ("train_original", "violin_line_input"):
        timbrelib.save_audio(folders / "audio" / f"{name}.wav", sine(440, 0.1))
    captions = dict(re.findall(r'src="audio/([^"]+)\.wav" aria-label="([^"]+)"', built(folders)))
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
    titles = re.findall(r"<h[23][^>]*>([^<]+)<", page)
    assert titles[1:9] == [
        "Kazoo", "roughness, distribution over the codebook", "roughness, sinusoidal target",
        "Timbre transfer", "generated speech, played by the kazoo model", "More", "a &amp; b", "a sketch",
    ]  # fmt: skip
    assert "<dd>error 1.5 %, RPA 99 %</dd></div>" in page
    assert 'src="audio/a%20%26%20b.wav"' in page


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


@needs_chromium
@pytest.mark.parametrize("name", VIEWS)
def test_the_page_reads_well_in_light_in_dark_and_on_a_phone(index, open_page, name):
    page = open_page(index, **VIEWS[name])
    page.evaluate("Promise.all([...document.images].map(image => { image.loading = 'eager'; return image.decode(); }))")
    page.wait_for_function("[...document.querySelectorAll('audio')].every(player => player.duration > 0)")
    size = VIEWS[name]["viewport"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    height = min(6000, page.evaluate("document.documentElement.scrollHeight"))
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(
        path=SCREENSHOTS / f"page_{name}.png",
        full_page=True,
        clip={"x": 0, "y": 0, "width": size["width"], "height": height},
    )


@needs_chromium
def test_every_sound_loads_and_has_its_length(index, open_page):
    page = open_page(index)
    lengths = page.locator("audio").evaluate_all(
        """players => Promise.all(players.map(player => new Promise((done, fail) => {
            player.onloadedmetadata = () => done([decodeURI(player.getAttribute('src')), player.duration]);
            player.onerror = () => fail(new Error(player.src));
            player.load();
        })))"""
    )
    assert lengths
    for address, seconds in lengths:
        assert seconds == pytest.approx(soundfile.info(index.parent / address).duration, abs=0.05), address


@needs_chromium
def test_every_link_has_a_target_and_every_source_is_local(index, open_page):
    page = open_page(index)
    links = page.locator("a[href]").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    sources = page.locator("[src], link[href]").evaluate_all(
        "elements => elements.map(element => element.getAttribute('src') ?? element.getAttribute('href'))"
    )
    marks = page.locator("[id]").evaluate_all("elements => elements.map(element => '#' + element.id)")
    assert len(marks) == len(set(marks))
    for link in links:
        assert link.startswith("https://") or link in marks or (index.parent / unquote(link)).is_file(), link
    for source in sources:
        assert source == "data:," or (index.parent / unquote(source)).is_file(), source


@needs_chromium
def test_every_player_and_figure_has_a_label_of_its_own(index, open_page):
    page = open_page(index)
    labels = page.locator("audio, img").evaluate_all("all => all.map(one => one.getAttribute('aria-label') ?? one.alt)")
    assert "Violin, centroid, sinusoidal target: decoded" in labels
    assert all(labels)
    assert len(set(labels)) == len(labels)
