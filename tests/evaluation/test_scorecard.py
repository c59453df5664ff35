import re

import numpy as np
import pytest
from shaker import save_shaker

import timbrelib
from timbrelib.control.scores import rank_correlation
from timbrelib.evaluation.markdown import markdown_table
from timbrelib.evaluation.scorecard import model_table, scorecard, scorecards, sorted_rows, training_cost
from timbrelib.model.checkpoint import load_card


def test_a_markdown_table_has_a_rule_below_its_headers():
    text = markdown_table(("a", "b"), [("1", "2"), ("3", "4")])
    assert text == "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |"
    assert markdown_table(["a"], []) == "| a |\n|---|"


def test_the_model_table_quotes_the_cards():
    header, _, row = model_table(["violin"]).splitlines()
    card = load_card("violin")
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert len(cells) == header.count("|") - 1
    assert cells[0] == "violin"
    assert cells[1] == f"{card['scores']['lsd_db']:.2f} dB"
    assert cells[-1] == card["licence"]


def test_sorted_rows_need_no_files(violin, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rows = sorted_rows(violin)
    assert [what for what, _, _ in rows] == [f"violin_{name}_sorted" for name in violin.codebook.descriptors]
    texts = {what: here for what, here, _ in rows}
    for name in ("centroid", "fundamental"):
        traversal, value = violin.traverse(name), violin.codebook[name]
        assert len(set(traversal.codes)) == len(traversal.codes)
        np.testing.assert_array_equal(traversal.targets[name], np.sort(value[traversal.codes]))
        steadiness = rank_correlation(traversal.measured[name], np.arange(len(traversal.codes)))
        assert steadiness > 0.99
        assert texts[f"violin_{name}_sorted"] == f"Spearman {steadiness:.4f} of rank and measured value"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two models without pitch, with an example each."""
    folder = tmp_path_factory.mktemp("shakers")
    for name in ("shaker", "shaker_copy"):
        timbre = timbrelib.load(save_shaker(folder / name))
        timbre.render(timbre.target("centroid", "sin", n_frames=80)).save(folder / f"{name}_centroid_sin")
    return folder


def test_a_scorecard_has_a_table_of_sounds_and_one_of_the_model(folder, tmp_path):
    heading, sounds, model = scorecard(folder / "shaker", folder).split("\n\n")
    assert heading == "## shaker"
    assert sounds.startswith("| sound | made by | target range | error | Spearman | RPA 50 cents |")
    assert "\n| shaker_centroid_sin | this library | " in sounds
    assert model.startswith("| measure | here | published |")
    assert "\n| LSD, test split, weighted by length | " in model
    without = scorecard(folder / "shaker", tmp_path)  # rendered now
    assert "_centroid_sin" not in without
    assert "\n| centroid sin | this library, rendered now | " in without


def test_several_models_come_in_the_order_in_which_they_are_named(folder):
    cards = scorecards([folder / "shaker_copy", folder / "shaker"], folder)
    assert re.findall(r"^## (.+)$", cards, re.MULTILINE) == ["shaker_copy", "shaker"]


def test_models_of_which_none_has_an_example_are_reported(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no example of .*shaker: run 'make figures MODEL=.*shaker' first"):
        scorecards([folder / "shaker"], tmp_path)
    with pytest.raises(FileNotFoundError, match="no example of violin, shaker: run 'make figures' first"):
        scorecards(["violin", "shaker"], tmp_path)


def test_the_cost_of_a_training_names_its_machine():
    training = {"minutes": 7.42, "threads": 2}
    assert training_cost(training) == "7.4 minutes, 2 CPU cores"
    assert training_cost(training | {"machine": "NVIDIA H100"}) == "7.4 minutes, NVIDIA H100"
