import json
import os
import re
from fnmatch import fnmatch
from html import unescape

import pytest
from conftest import ROOT

from timbrelib.descriptors import DESCRIPTORS
from timbrelib.model.registry import shipped_models
from timbrelib.model.vqvae import PREFIXES
from timbrelib.page.notebook_runner import NotebookRun

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FAST = {
    "01_train": {"STEPS": 20},
    "05_target_decode": {"FRAMES": 96},
    "10_evaluation": {"FRAMES": 64},
    "08_timbre_transfer": {"PAIRS": [["trumpet", "horn"]]},
    "07_follow_a_line": {"FRAMES": 128},
    "09_other_timbres": {"FRAMES": 96},
}
RENDERED = ("csv", "json", "wav")
LEARNT = "## What this run showed"
PARTS = ("Try it", "References", LEARNT[3:])
IGNORED = (ROOT / ".gitignore").read_text().splitlines()
GENERATED = {  # sounds that `make figures` writes and .gitignore covers
    *(f"Audio_Exemple/train_{role}.wav" for role in ("original", "before", "after")),
    *(
        f"Audio_Exemple/{PREFIXES.get(model, model)}_{descriptor}_sorted.wav"
        for model in shipped_models()
        for descriptor in DESCRIPTORS
    ),
}


def cells(path, kind="code"):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize(
    ("stem", "settings", "written"),
    [
        ("01_train", {}, ["train_after.wav", "train_before.wav", "train_original.wav", "violin_reconstruction.wav"]),
        ("02_codebook_pca", {}, []),
        ("02_codebook_pca", {"DESCRIPTOR": "fundamental"}, []),
        ("03_descriptor_histogram", {"DESCRIPTOR": "rolloff"}, ["violin_rolloff_visualize.png"]),
        (
            "05_target_decode",
            {"DESCRIPTOR": "fundamental"},
            [f"violin_fundamental_decode_{shape}.png" for shape in ("exp", "sin")]
            + [f"violin_fundamental_{shape}.{kind}" for shape in ("exp", "sin", "sin_noise") for kind in RENDERED],
        ),
        (
            "10_evaluation",
            {"DESCRIPTORS": ["centroid", "fundamental"]},
            ["violin_scorecard.png", "violin_quality.png"],
        ),
        (
            "08_timbre_transfer",
            {},
            ["transfer_trumpet_horn.png", "transfer_trumpet_horn.wav", "transfer_trumpet_horn_input.wav"],
        ),
        (
            "09_other_timbres",
            {"EXAMPLES": {"singing": ["centroid_exp"], "horn": ["rolloff_sin"]}},
            [f"{prefix}_centroid_visualize.png" for prefix in ("horn", "sing")]
            + ["horn_rolloff_decode_sin.png", "sing_centroid_decode_exp.png"]
            + [f"{stem}.{kind}" for stem in ("horn_rolloff_sin", "sing_centroid_exp") for kind in RENDERED],
        ),
        (
            "04_sorted_codebook",
            {"MODEL": "singing", "DESCRIPTORS": ["centroid"]},
            [*(f"sing_centroid_sorted.{kind}" for kind in RENDERED), "sing_sorted.png"],
        ),
        (
            "07_follow_a_line",
            {"LINE": str(ROOT / "Audio_Exemple" / "violin_line_input.wav")},
            ["violin_fundamental_centroid_decode_sin.png", "violin_line.png", "violin_line_input.wav"]
            + ["violin_centroid_held.png", "violin_fundamental_held.png"]
            + [
                f"violin_{what}.{kind}"
                for what in ("centroid_held", "centroid_steps", "fundamental_centroid_sin", "fundamental_held", "line")
                for kind in RENDERED
            ],
        ),
    ],
)
def test_a_notebook_runs_with_settings_from_outside(tmp_path, stem, settings, written):
    source = ROOT / "notebooks" / f"{stem}.ipynb"
    known = "".join(cells(source)[0]["source"])
    places = {name: str(tmp_path / "out") for name in ("FIGURES", "AUDIO") if name in known}
    NotebookRun(source, tmp_path / "run.ipynb", {**settings, **places, **FAST.get(stem, {})}).execute()
    assert sorted(os.listdir(tmp_path / "out") if written else []) == sorted(written)
    for cell in cells(tmp_path / "run.ipynb"):
        assert not any(output.get("name") == "stderr" for output in cell["outputs"]), cell["source"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_committed_notebook_is_executed_small_and_plain(path):
    assert path.stat().st_size < 1.5e6
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    code = cells(path)
    assert code[0]["metadata"]["tags"] == ["parameters"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        source = "".join(cell["source"])
        assert "def " not in source
        assert len(source.splitlines()) <= 9
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr", output
            assert "base64" not in "".join(output.get("data", {}).get("text/html", "")), "embedded audio"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_links_to_sounds_that_are_committed_or_made_by_make_figures(path):
    for cell in cells(path):
        for output in cell["outputs"]:
            html = "".join(output.get("data", {}).get("text/html", ""))
            for piece in html.split('href="')[1:]:
                sound = os.path.relpath(path.parent / piece.split('"')[0], ROOT)
                ignored = any(fnmatch(f"/{sound}", pattern) for pattern in IGNORED)
                made = sound.startswith("build/")  # by the reader, who runs the notebook
                assert made or (sound in GENERATED if ignored else (ROOT / sound).is_file()), sound


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_a_lesson(path):
    """It opens with a question, gives an equation, says what was learnt, and ends with things to try and references."""
    texts = ["".join(cell["source"]) for cell in cells(path, "markdown")]
    title = texts[0].splitlines()[0]
    assert re.fullmatch(r"# \d+\. .+\?", title), title
    assert any("$$" in text for text in texts)
    headings = re.findall(r"^## (.+)$", "\n".join(texts), re.MULTILINE)
    assert set(PARTS) <= set(headings)
    assert "docs/differences.md" in "".join(texts)
    kinds = [cell["cell_type"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    assert "codecode" not in "".join(kinds).replace("codecode", "", 1), "a sentence comes before each cell"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_cell_that_draws_shows_its_figure(path):
    for cell in cells(path):
        if re.search(r"timbrelib\.plots\.|\.(plot|plot_\w+|scatter|subplots)\(", "".join(cell["source"])):
            assert any("image/png" in output.get("data", {}) for output in cell["outputs"]), cell["source"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_numbers_in_the_conclusions_are_those_that_the_cells_print(path):
    text = "\n".join("".join(cell["source"]) for cell in cells(path, "markdown"))
    prose = text.split(LEARNT)[1].split("\n## ")[0]
    prose = re.sub(r"`[^`]*`|\[[^]]*\]\([^)]*\)", " ", prose)  # code, links
    quoted = re.findall(NUMBER, prose)
    assert quoted, "the conclusions quote no number"
    printed = {plain(number) for cell in cells(path) for output in cell["outputs"] for number in numbers(output)}
    assert not {number for number in quoted if plain(number) not in printed}


NUMBER = r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?"


def plain(number):
    return number.replace(",", "").lstrip("-")


def numbers(output):
    """Numbers that an output shows."""
    data = output.get("data", {})
    shown = [
        output.get("text", ""),
        data.get("text/plain", ""),
        data.get("text/markdown", ""),
        data.get("text/html", ""),
    ]
    return re.findall(NUMBER, unescape(re.sub("<[^>]*>", " ", " ".join("".join(part) for part in shown))))
