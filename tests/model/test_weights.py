"""A model follows its weights: however they change, and wherever and in whatever type they are."""

import copy
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from conftest import model_of, tone, unit_spectra, white_noise

import timbrelib
from timbrelib.control.timbre import Timbre
from timbrelib.model.checkpoint import save_model
from timbrelib.recordings.training_frames import cut_frames

SOUND = np.concatenate([tone(300), white_noise(), tone(410)])


@pytest.fixture
def model():
    """A model of two tones and a hiss, rounded as in a file, so that half precision loses nothing."""
    return model_of(unit_spectra(tone(300), tone(400), white_noise()), 0.3).half().float()


@contextmanager
def default_type(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def computed(model):
    """Everything that follows from the weights."""
    arrays = [model.spectra, model.noise_share, model.cepstra, *model.encode(SOUND), model.decode(np.repeat([0, 1], 9))]
    return [model.fingerprint, *(array.tobytes() for array in arrays)]


@torch.no_grad()
def edit(model, _):
    model.decoder[-1].bias[:500] += 9


def replace_twice(model, weights):
    model.codebook = torch.zeros(3, 3)  # its memory is free for the next one
    model.load_state_dict(weights, assign=True)


CHANGES = {
    "load_state_dict": lambda model, weights: model.load_state_dict(weights),
    "assignment": lambda model, weights: model.load_state_dict(weights, assign=True),
    "two assignments": replace_twice,
    "an edit in place": edit,
    "an edit in inference mode": torch.inference_mode()(edit),
    "a rounding": lambda model, _: model.to(torch.bfloat16),
    "a rounding and its type back": lambda model, _: model.to(torch.bfloat16).float(),
    "another setting": lambda model, _: setattr(model, "noise_below_fundamental", False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_model_computes_follows_its_weights_however_they_change(model, change):
    other = model_of(unit_spectra(tone(500), white_noise(), tone(350)), 0.6)
    before = computed(model)
    assert computed(model) == before
    CHANGES[change](model, other.state_dict())
    after = computed(model)
    assert after[:2] != before[:2]
    assert after == computed(copy.deepcopy(model))  # which has nothing to go stale


def test_a_model_made_in_inference_mode_follows_its_weights_too(model):
    with torch.inference_mode():
        made = copy.deepcopy(model)
        before = computed(made)
        edit(made, None)
        assert computed(made)[:2] != before[:2]


def test_a_codebook_keeps_the_vectors_that_were_measured(model):
    codebook = timbrelib.analyse_codebook(model, cache=False)
    before = codebook.vectors.copy()
    with torch.no_grad():
        model.codebook.mul_(2)
    np.testing.assert_array_equal(codebook.vectors, before)


def moved(model, kind):
    """What a model and its codebook are after a move to another precision or device."""
    wanted = computed(model), timbrelib.analyse_codebook(model, cache=False)
    model.to(kind)
    found = computed(model), timbrelib.analyse_codebook(model, cache=False)
    assert found[0] == wanted[0]
    assert found[1].columns.tobytes() == wanted[1].columns.tobytes()
    assert found[1].vectors.tobytes() == wanted[1].vectors.tobytes()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_codes_and_sounds_do_not_depend_on_the_precision_that_holds_the_weights(model, dtype):
    moved(model, dtype)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_codes_and_sounds_do_not_depend_on_the_device(model):
    moved(model, "cuda")


def test_a_rounded_model_makes_the_sounds_of_its_rounded_weights(model):
    rounded = copy.deepcopy(model).to(torch.bfloat16)
    assert computed(rounded) == computed(copy.deepcopy(rounded).float())
    assert computed(rounded) != computed(model)


@pytest.mark.parametrize("use", [lambda model: model.encode(SOUND), lambda model: model.decode(np.zeros(9, int))])
def test_a_model_without_weights_says_so_in_one_sentence(model, use):
    with pytest.raises(ValueError, match=r"no weights.*: load it with timbrelib\.load_model") as refusal:
        use(model.to("meta"))
    assert "\n" not in str(refusal.value)


def test_another_default_type_changes_neither_a_loaded_model_nor_its_renderings(model, tmp_path):
    save_model(tmp_path / "made", model, {}, {})
    timbre = Timbre(model, timbrelib.analyse_codebook(model, cache=False))
    timbre.render(timbre.target("fundamental", np.full(20, 400.0))).save(tmp_path / "rendered")
    with default_type(torch.float64):
        loaded = timbrelib.load_model(tmp_path / "made")
    assert {tensor.dtype for tensor in loaded.state_dict().values()} == {torch.float32, torch.int64}
    saved, wanted = timbrelib.load_rendering(tmp_path / "rendered.json"), computed(model)
    with default_type(torch.float64):
        assert computed(loaded) == wanted
        assert saved.decode(loaded).tobytes() == saved.decode(model).tobytes()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64])
def test_another_default_type_does_not_change_a_training(phrases, dtype):
    frames = cut_frames(phrases[:2])
    config = timbrelib.TrainingConfig(steps=12, batch=32, log_every=4, kmeans_frames=100)
    sizes = timbrelib.VQVAEConfig(n_codes=16, code_size=4, width=16, blocks=1)
    trained = []
    for default in (torch.float32, dtype):
        with default_type(default):
            trained.append(timbrelib.train(frames, config, sizes, progress=False)[0])
    assert computed(trained[0]) == computed(trained[1])
