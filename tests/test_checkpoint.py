import json
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from conftest import ROOT

import timbrelib
from timbrelib import checkpoint

SHIPPED = ROOT / "timbrelib" / "models" / "violin"


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(SHIPPED, tmp_path / "copy")


def test_a_saved_model_loads_as_it_was(tmp_path, small, phrases):
    model, history = small
    checkpoint.save_model(tmp_path / "mine", model, history, {"scores": {}})
    loaded = timbrelib.load_model(tmp_path / "mine")
    assert loaded.name == "mine"
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name  # training rounds to what is stored
    np.testing.assert_array_equal(loaded.reconstruct(phrases[0].audio), model.reconstruct(phrases[0].audio))
    np.testing.assert_allclose(checkpoint.load_history(tmp_path / "mine")["loss"], history["loss"], atol=1e-4)


def test_the_list_of_models_has_licence_and_scores():
    listed = {model["name"]: model for model in timbrelib.list_models()}
    assert list(listed) == ["cello", "horn", "singing", "trumpet", "violin"]
    for name, most in {"violin": 4.9, "trumpet": 4.4, "horn": 3.2, "cello": 3.3, "singing": 6.0}.items():
        assert listed[name]["licence"] == "CC BY-SA 4.0"
        assert listed[name]["lsd_db"] <= most
        assert listed[name]["codebook_use"] >= 0.99
        assert listed[name]["perplexity"] > 800


@pytest.mark.parametrize("name", ["cello", "horn", "singing", "trumpet", "violin"])
def test_a_shipped_model_is_small_and_credits_its_sources(name):
    folder = checkpoint.model_folder(name)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 7e6
    written = (folder / "README.md").read_text()
    assert all(source in written for source in checkpoint.load_card(name)["sources"])


def test_the_violin_is_small_and_complete():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 7e6
    assert not list(SHIPPED.rglob("*.p*kl")) + list(SHIPPED.rglob("*.pt"))
    card = checkpoint.load_card("violin")
    assert card["licence"] == "CC BY-SA 4.0"
    assert any("John Garner" in source for source in card["sources"])
    assert card["scores"]["lsd_db"] <= 4.9
    assert card["scores"]["codebook_use"] >= 0.99
    assert card["scores"]["perplexity"] >= 500
    assert card["training"]["minutes"] <= 25
    assert card["training"]["memory_gb"] <= 4
    history = checkpoint.load_history("violin")
    assert history["loss"][-1] < history["loss"][0]


def test_the_card_counts_what_the_model_counts(violin):
    from timbrelib.training import perplexity

    card = checkpoint.load_card("violin")
    use = violin.use.numpy()
    assert np.mean(use > 0) == pytest.approx(card["scores"]["codebook_use"], abs=1e-4)
    assert perplexity(use) == pytest.approx(card["scores"]["perplexity"], abs=0.1)


def test_the_violin_loads_from_an_installed_wheel(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), "."]
    subprocess.run(build, cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = (
        "import timbrelib; m = timbrelib.load_model('violin'); "
        "print(timbrelib.__file__, m.config.n_codes, len(m.decode([1, 2, 3, 4])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "site", capture_output=True, text=True, check=True
    )
    assert str(tmp_path) in done.stdout
    assert done.stdout.split()[1:] == ["1024", "1536"]


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(FileNotFoundError, match="violin"):
        timbrelib.load_model("viola-da-gamba")


@pytest.mark.parametrize("keep", [0, 5, 1000, 3_000_000])
def test_truncated_weights_are_refused(copy, keep):
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(ValueError, match="damaged or not a model"):
        timbrelib.load_model(copy)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("model.safetensors", "a text", "damaged or not a model"),
        ("config.json", "{", "damaged"),
        ("config.json", "[]", "format None"),
        ("config.json", json.dumps({"format": 99}), "format 99"),
        ("config.json", json.dumps({"format": 1, "sizes": {"n_codes": 8}}), "damaged or not a model"),
        ("config.json", json.dumps({"format": 1, "sizes": {"colour": 8}}), "damaged or not a model"),
    ],
)
def test_foreign_files_are_refused(copy, file, content, says):
    (copy / file).write_text(content)
    with pytest.raises(ValueError, match=says):
        timbrelib.load_model(copy)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(copy, file):
    (copy / file).unlink()
    with pytest.raises(FileNotFoundError, match=file):
        timbrelib.load_model(copy)


def test_weights_that_are_not_finite_are_refused(copy, violin):
    import safetensors.torch

    tensors = safetensors.torch.load_file(copy / "model.safetensors")
    tensors["codebook"][3, 3] = float("nan")
    safetensors.torch.save_file(tensors, copy / "model.safetensors")
    with pytest.raises(ValueError, match="not finite"):
        timbrelib.load_model(copy)


@pytest.mark.parametrize(
    ("card", "says"),
    [({"name": "x"}, "not a model card"), ([], "not a model card"), ({"scores": {"lsd_db": 4}}, "timbrelib score")],
)
def test_a_card_without_scores_is_refused_in_a_sentence(tmp_path, card, says):
    checkpoint.write_json(tmp_path / "card.json", card)
    with pytest.raises(ValueError, match=says):
        checkpoint.load_card(tmp_path)
