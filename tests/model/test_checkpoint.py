import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch
from conftest import ROOT

import timbrelib
from timbrelib.model import checkpoint
from timbrelib.model.registry import model_folder

SHIPPED = ROOT / "timbrelib" / "model" / "shipped" / "violin"


@pytest.fixture
def copy(tmp_path):
    return shutil.copytree(SHIPPED, tmp_path / "copy")


def copy_model(model):
    """A model with the weights of another."""
    twin = timbrelib.VQVAE(model.config)
    twin.load_state_dict(model.state_dict())
    return twin.eval()


def test_a_saved_model_loads_unchanged(tmp_path, small, phrases):
    model, history = small
    checkpoint.save_model(tmp_path / "mine", model, history, {"scores": {}})
    loaded = timbrelib.load_model(tmp_path / "mine")
    assert loaded.name == "mine"
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name  # training rounds to what is stored
    np.testing.assert_array_equal(loaded.reconstruct(phrases[0].audio), model.reconstruct(phrases[0].audio))
    np.testing.assert_allclose(checkpoint.load_history(tmp_path / "mine")["loss"], history["loss"], atol=1e-4)


@pytest.fixture
def old(tmp_path, small):
    """A model of release 0.1.0, whose decoder does not predict noise, and its folder."""
    torch.manual_seed(0)
    model = timbrelib.VQVAE(timbrelib.VQVAEConfig(n_codes=8, code_size=4, width=16, blocks=1, outputs=1)).eval()
    checkpoint.save_model(tmp_path / "old", model, small[1], {"scores": {}})
    sizes = {"n_codes": 8, "code_size": 4, "width": 16, "blocks": 1}
    checkpoint.write_json(tmp_path / "old" / "config.json", {"format": 1, "sizes": sizes})
    return model, tmp_path / "old"


def test_a_model_of_version_0_1_loads_without_noise(old):
    model, folder = old
    loaded = timbrelib.load_model(folder)
    assert loaded.config == model.config
    assert loaded.config.outputs == 1
    assert loaded.noise == 0.5
    assert not loaded.noise_share.any()
    assert loaded.decoder[-1].out_features == 1025
    codes = np.arange(8).repeat(4)
    mixed, locked = (loaded.decode(codes, excitation=excitation) for excitation in ("mixed", "locked"))
    np.testing.assert_allclose(mixed, locked, atol=1e-5)


def test_a_model_of_version_0_1_is_saved_in_the_present_format(tmp_path, old, small):
    loaded = timbrelib.load_model(old[1])
    checkpoint.save_model(tmp_path / "new", loaded, small[1], {"scores": {}})
    config = json.loads((tmp_path / "new" / "config.json").read_text())
    sizes = {"n_codes": 8, "code_size": 4, "width": 16, "blocks": 1, "outputs": 1}
    assert config == {"format": 2, "sizes": sizes, "noise": 0.5, "noise_below_fundamental": True}
    assert timbrelib.load_model(tmp_path / "new").fingerprint == loaded.fingerprint


@pytest.mark.parametrize("sizes", [{"outputs": 1}, {"outputs": 2}])
def test_a_config_of_version_0_1_that_counts_outputs_is_refused(old, sizes):
    _, folder = old
    config = json.loads((folder / "config.json").read_text())
    checkpoint.write_json(folder / "config.json", config | {"sizes": config["sizes"] | sizes})
    with pytest.raises(ValueError, match="damaged or not a model"):
        timbrelib.load_model(folder)


def test_weights_without_noise_do_not_fit_a_config_with_it(old):
    _, folder = old
    config = json.loads((folder / "config.json").read_text())
    checkpoint.write_json(folder / "config.json", config | {"format": 2})
    with pytest.raises(ValueError, match="another shape than the config says"):
        timbrelib.load_model(folder)


def test_a_model_keeps_its_amount_of_noise(tmp_path, small):
    model = copy_model(small[0])
    model.noise = 0.8
    checkpoint.save_model(tmp_path / "mine", model, small[1], {"scores": {}})
    assert json.loads((tmp_path / "mine" / "config.json").read_text())["noise"] == 0.8
    loaded = timbrelib.load_model(tmp_path / "mine")
    assert loaded.noise == 0.8
    codes = np.arange(30)
    np.testing.assert_array_equal(loaded.decode(codes), loaded.decode(codes, excitation="mixed", noise=0.8))
    assert timbrelib.load(tmp_path / "mine").noise == 0.8


def test_a_model_without_an_amount_of_noise_has_the_default(copy):
    config = json.loads((copy / "config.json").read_text())
    config.pop("noise", None)
    checkpoint.write_json(copy / "config.json", config)
    assert timbrelib.load_model(copy).noise == 0.5


def test_a_model_keeps_whether_it_has_noise_below_its_fundamental(tmp_path, small):
    model = copy_model(small[0])
    model.noise_below_fundamental = False
    checkpoint.save_model(tmp_path / "mine", model, small[1], {"scores": {}})
    loaded = timbrelib.load_model(tmp_path / "mine")
    assert not loaded.noise_below_fundamental
    assert loaded.fingerprint != small[0].fingerprint  # it sounds otherwise
    assert (loaded.spectra <= small[0].spectra).all()
    assert (loaded.spectra < small[0].spectra).any()


@pytest.mark.parametrize("value", [None, 1, "false"])
def test_a_nonsensical_noise_below_the_fundamental_is_refused_in_a_sentence(copy, value):
    config = json.loads((copy / "config.json").read_text())
    checkpoint.write_json(copy / "config.json", config | {"noise_below_fundamental": value})
    with pytest.raises(ValueError, match=r"noise_below_fundamental is .*, not true or false"):
        timbrelib.load_model(copy)


@pytest.mark.parametrize("noise", [-0.1, 1.5, None, "0.5", [0.5], True, 10**400])
def test_a_nonsensical_amount_of_noise_is_refused_in_a_sentence(copy, noise):
    config = json.loads((copy / "config.json").read_text())
    checkpoint.write_json(copy / "config.json", config | {"noise": noise})
    with pytest.raises(
        ValueError, match=r"damaged or not a model of this library .*: copy it again or train it"
    ) as refusal:
        timbrelib.load_model(copy)
    assert "\n" not in str(refusal.value)


MOST_DB = {
    "bassoon": 3.8, "cello": 3.3, "clarinet": 3.3, "female": 8.0, "flute": 3.3, "horn": 3.2,
    "oboe": 3.4, "saxophone": 3.8, "singing": 6.0, "trumpet": 4.4, "viola": 4.3, "violin": 4.9,
}  # fmt: skip


def test_the_list_of_models_has_licence_and_scores():
    listed = timbrelib.list_models()
    assert list(listed.index) == sorted(MOST_DB)
    for name, most in MOST_DB.items():
        assert listed.loc[name, "licence"] == "CC BY-SA 4.0"
        assert listed.loc[name, "lsd_db"] <= most
        assert listed.loc[name, "codebook_use"] >= 0.99
        assert listed.loc[name, "perplexity"] > 0.7 * timbrelib.load_model(name).config.n_codes


@pytest.mark.parametrize("name", sorted(MOST_DB))
def test_a_shipped_model_is_small_and_credits_its_sources(name):
    folder = model_folder(name)
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 7e6
    written = (folder / "README.md").read_text()
    assert all(source in written for source in checkpoint.load_card(name)["sources"])


@pytest.mark.parametrize("name", sorted(MOST_DB))
def test_a_shipped_model_predicts_noise_between_its_partials(name):
    model = timbrelib.load_model(name)
    assert model.config.outputs == 2
    assert 0 <= model.noise <= 1
    share, level = model.noise_share, model.spectra
    loud = level > 0.3 * level.max(axis=1, keepdims=True)
    assert share[loud].mean() < share[~loud].mean() - 0.15


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
    assert (card["training"]["memory_gb"] or 0) <= 4  # not measured on the GPU
    history = checkpoint.load_history("violin")
    assert history["loss"][-1] < history["loss"][0]


def test_the_card_counts_what_the_model_counts(violin):
    from timbrelib.training.code_use import perplexity

    card = checkpoint.load_card("violin")
    use = violin.model.use.numpy()
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
        "print(timbrelib.__file__, m.config.n_codes, len(m.decode([1, 2, 3, 4])), timbrelib.plots.new_axes(2).name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "site", capture_output=True, text=True, check=True
    )
    assert str(tmp_path) in done.stdout
    assert done.stdout.split()[1:] == ["4096", "1536", "rectilinear"]


def test_an_unknown_model_is_refused_with_the_known_ones():
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
        ("config.json", json.dumps({"format": 2, "sizes": {"n_codes": 8}}), "damaged or not a model"),
        ("config.json", json.dumps({"format": 2, "sizes": {"colour": 8}}), "damaged or not a model"),
        ("config.json", json.dumps({"format": 1, "sizes": {"n_codes": 8}}), "damaged or not a model"),
    ],
)
def test_foreign_files_are_refused(copy, file, content, says):
    (copy / file).write_text(content)
    with pytest.raises(ValueError, match=says):
        timbrelib.load_model(copy)


def rewrite(copy, **tensors):
    """Put other tensors into the weights of a copy."""
    stored = safetensors.torch.load_file(copy / "model.safetensors")
    safetensors.torch.save_file(stored | tensors, copy / "model.safetensors")


@pytest.mark.parametrize(
    ("tensors", "says"),
    [
        ({"codebook": torch.full((4096, 64), torch.nan).half()}, "not finite"),
        ({"codebook": torch.zeros(4096, 64).double()}, "stored as F64"),
        ({"codebook": torch.zeros(4096, 63).half()}, "another shape"),
        ({"use": torch.zeros(4096)}, "stored as F32"),
        ({"use": torch.full((4096,), -1, dtype=torch.int32)}, "negative counts"),
        ({"std": torch.zeros(1025).half()}, "deviations that are not positive"),
        ({"extra": torch.zeros(3)}, "other names"),
    ],
)
def test_invalid_weights_are_refused(copy, tensors, says):
    rewrite(copy, **tensors)
    with pytest.raises(ValueError, match=f"not a model of this library .*{says}"):
        timbrelib.load_model(copy)


def test_weights_in_full_precision_are_read(copy, violin):
    rewrite(copy, codebook=violin.model.codebook, use=violin.model.use)
    assert timbrelib.load_model(copy).fingerprint == violin.model.fingerprint


def test_weights_that_claim_a_hundred_gigabytes_are_refused(copy):
    header = json.dumps({"codebook": {"dtype": "F16", "shape": [50 * 10**9], "data_offsets": [0, 10**11]}}).encode()
    (copy / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(1000))
    with pytest.raises(ValueError, match="damaged or not a model"):
        timbrelib.load_model(copy)


def test_weights_too_large_for_any_model_are_refused_unread(copy):
    os.truncate(copy / "model.safetensors", 2**30 + 1)  # a hole, which takes no space
    with pytest.raises(ValueError, match=r"model\.safetensors is 1024\.0 MB"):
        timbrelib.load_model(copy)


@pytest.mark.parametrize(
    "sizes",
    [
        {"n_codes": 10**9}, {"width": 0}, {"blocks": -1}, {"code_size": 64.0}, {"blocks": True}, {"width": "512"},
        {"outputs": 0}, {"outputs": 3},
    ],
)  # fmt: skip
def test_invalid_sizes_are_refused_before_a_model_is_built(copy, sizes):
    checkpoint.write_json(copy / "config.json", {"format": 2, "sizes": sizes})
    with pytest.raises(ValueError, match=f"a model cannot have a {next(iter(sizes))} of .*: give a whole number"):
        timbrelib.load_model(copy)
    with pytest.raises(ValueError, match="a model cannot have"):
        timbrelib.VQVAEConfig(**sizes)


def test_the_largest_sizes_take_no_memory_if_the_weights_do_not_match(copy):
    sizes = {"n_codes": 16_384, "code_size": 4096, "width": 16_384, "blocks": 64}  # 150 GB
    checkpoint.write_json(copy / "config.json", {"format": 2, "sizes": sizes})
    with pytest.raises(ValueError, match="other names"):
        timbrelib.load_model(copy)


@pytest.mark.parametrize("file", ["config.json", "card.json", "history.json"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b"\xff", "utf-8"),
        (b"[NaN]", "NaN"),
        (b" " * (4 * 2**20 + 1), "the limit is 4 MB"),
    ],
)
def test_damaged_json_is_refused(copy, file, content, says):
    (copy / file).write_bytes(content)
    read = {"config.json": timbrelib.load_model, "card.json": checkpoint.load_card}.get(file, checkpoint.load_history)
    with pytest.raises(ValueError, match=f"{file} is damaged .*{says}.*: copy the model again"):
        read(copy)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"loss": None}, "list of numbers"),
        ({"loss": [1, "2"]}, "list of numbers"),
        ({"loss": [1, True]}, "list of numbers"),
        ({"loss": [1, None]}, "gaps"),
        ({"loss": [1, 10**400]}, "too large"),
        ({"loss": [1, 2, 3]}, "differ in length"),
        ({"step": [], "loss": [], "codes_used": [], "perplexity": []}, "empty"),
    ],
)
def test_a_history_without_equal_columns_of_numbers_is_refused(copy, change, says):
    columns = {name: [1, 2] for name in ("step", "loss", "codes_used", "perplexity")}
    checkpoint.write_json(copy / "history.json", columns | change)
    with pytest.raises(ValueError, match=f"history.json is not a training history .*{says}"):
        checkpoint.load_history(copy)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(copy, file):
    (copy / file).unlink()
    with pytest.raises(FileNotFoundError, match=file):
        timbrelib.load_model(copy)


@pytest.mark.parametrize(
    ("card", "says"),
    [({"name": "x"}, "not a model card"), ([], "not a model card"), ({"scores": {"lsd_db": 4}}, "timbrelib evaluate")],
)
def test_a_card_without_scores_is_refused_in_a_sentence(tmp_path, card, says):
    checkpoint.write_json(tmp_path / "card.json", card)
    with pytest.raises(ValueError, match=says):
        checkpoint.load_card(tmp_path)


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("name", 3),
        ("sources", "John Garner"),
        ("sources", [None]),
        ("data", {"minutes": 3}),
        ("training", []),
        ("training", {"memory_gb": ""}),
        ("training", {"memory_gb": False}),
        ("scores", {"lsd_db": "4"}),
        ("scores", {"lsd_db": None}),
        ("scores", {"flux_real": 3}),
        ("scores", {"flux_real": [1, 2]}),
    ],
)
def test_a_card_with_facts_of_another_type_is_refused(copy, key, entry):
    card = checkpoint.load_card(copy)
    changed = card[key] | entry if key in ("scores", "training") and entry else entry
    checkpoint.write_json(copy / "card.json", card | {key: changed})
    with pytest.raises(ValueError, match=r"card\.json is not a model card"):
        checkpoint.load_card(copy)


def test_nothing_is_pickled():
    pickling = re.compile(r"\b(pickle|dill|joblib|shelve|marshal)\b|(?<!safetensors\.)\btorch\.(load|save)\b")
    for path in [*(ROOT / "timbrelib").rglob("*.py"), *(ROOT / "notebooks").glob("*.ipynb")]:
        source = path.read_text(encoding="utf-8")
        assert not pickling.search(source), path
        arrays = re.findall(r"\bnp\.(?:load|save)\(.*", source)
        assert all("allow_pickle=False" in call for call in arrays), path
