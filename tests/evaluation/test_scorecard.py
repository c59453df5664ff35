import numpy as np
import pytest

from timbrelib.control.scores import rank_correlation
from timbrelib.evaluation import scorecard
from timbrelib.evaluation.markdown import markdown_table
from timbrelib.evaluation.scorecard import example_rows, model_table, rendered_rows, sorted_rows
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


def test_an_example_is_scored_from_its_file(violin, tmp_path):
    target, pitch = (violin.target(name, "sin", n_frames=80) for name in ("centroid", "fundamental"))
    with pytest.raises(FileNotFoundError, match="make figures MODEL=violin"):
        example_rows(violin, tmp_path)
    results = {"violin_one": violin.render(target), "violin_two": violin.render(pitch)}
    for stem, result in results.items():
        result.save(tmp_path / stem)
    (one, here, published), (two, notes, _) = example_rows(violin, tmp_path)
    assert (one, two, published) == (*results, "-")
    score = results[one].score["centroid"]
    assert here.split(", ")[0] == f"error {score.error:.2f} %"
    assert here.endswith(f"(selection {score.selection:.2f} %, synthesis {score.synthesis:.2f} %)")
    assert notes == f"{results[two].score}, {results[two].score['fundamental'].voiced:.1f} % voiced"
    results[two].audio[:] = results[one].audio
    results[two].save(tmp_path / "violin_two")  # the JSON keeps what was measured, the sound is another
    assert example_rows(violin, tmp_path)[1][1] != notes


def test_sorted_rows_need_no_files(violin, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    rows = sorted_rows(violin)
    assert [what for what, _, _ in rows] == [f"violin_{name}_sorted" for name in violin.codebook.descriptors]
    texts = {what: here for what, here, _ in rows}
    for name in ("centroid", "fundamental"):
        traversal, value = violin.traverse(name), violin.codebook[name]
        np.testing.assert_array_equal(np.sort(traversal.codes), np.flatnonzero(np.isfinite(value)))
        np.testing.assert_array_equal(traversal.targets[name], np.sort(value[np.isfinite(value)]))
        steadiness = rank_correlation(traversal.measured[name], np.arange(len(traversal.codes)))
        assert steadiness > 0.99
        assert texts[f"violin_{name}_sorted"] == f"Spearman {steadiness:.4f} of rank and measured value"


def test_only_targets_without_an_example_are_rendered(violin, monkeypatch):
    monkeypatch.setattr(scorecard, "NOTES", (1.0, 20_000.0))  # which no codebook covers
    names = ("centroid", "bandwidth", "fundamental")
    examples = {f"violin_{name}_{shape}" for name in names for shape in ("sin", "exp")}
    rows = rendered_rows(violin, examples | {"violin_rolloff_sin"})
    assert [what.split(", rendered now")[0] for what, _, _ in rows] == ["rolloff exp", "centroid sin"]
    assert rows[0][1] == str(violin.render(violin.target("rolloff", "exp")).score)
