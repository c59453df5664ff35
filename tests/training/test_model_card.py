import hashlib
import json
import shutil

import pytest
import soundfile
from conftest import ROOT

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.model.checkpoint import load_card
from timbrelib.model.registry import shipped_folder
from timbrelib.training.config import FORMER_NAMES
from timbrelib.training.model_card import card_text, evaluate, train_command


def test_a_card_with_the_setting_names_of_version_0_1_is_read_and_updated(tmp_path, phrases):
    folder = shutil.copytree(shipped_folder() / "violin", tmp_path / "old")
    present = load_card(folder)
    former = {new: old for old, new in FORMER_NAMES.items()}
    training = {former.get(name, name): value for name, value in present["training"].items()}
    (folder / "card.json").write_text(json.dumps(present | {"training": training}))
    assert load_card(folder)["training"] == training

    recordings = tmp_path / "violin"
    recordings.mkdir()
    for number, phrase in enumerate(phrases[:2]):
        soundfile.write(recordings / f"{number}.wav", phrase.audio[number * 100 :], SAMPLE_RATE)
    splits = {"train": [digest(recordings / "0.wav")], "valid": [], "test": [digest(recordings / "1.wav")]}
    (folder / "card.json").write_text(json.dumps(present | {"training": training, "splits": splits}))
    scores = evaluate(folder, recordings, write=True)
    assert scores["test_recordings"] == 1
    updated = load_card(folder)
    assert updated == present | {"scores": scores, "noise": 0.75, "noise_below_fundamental": True, "splits": splits}
    assert (folder / "README.md").read_text() == card_text(updated)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def test_recordings_that_trained_never_test_whatever_is_added_or_renamed(tmp_path, phrases, caplog):
    """A split by the order of names would move trained recordings into the test split."""
    folder = shutil.copytree(shipped_folder() / "violin", tmp_path / "mine")
    recordings = tmp_path / "renamed"
    recordings.mkdir()
    for number, phrase in enumerate(phrases[:4]):
        soundfile.write(recordings / f"{number}.wav", phrase.audio, SAMPLE_RATE)
    trained, held = (digest(recordings / f"{number}.wav") for number in range(2))
    card = load_card(folder) | {"splits": {"train": [trained], "valid": [], "test": [held]}}
    (folder / "card.json").write_text(json.dumps(card))
    assert evaluate(folder, recordings)["test_recordings"] == 1
    assert "not scored, since the training did not know them: renamed/2.wav, renamed/3.wav" in caplog.text
    (recordings / "1.wav").unlink()
    with pytest.raises(ValueError, match=r"it is not known that any recording in .* was held back"):
        evaluate(folder, recordings)


def test_a_shipped_model_is_not_tested_on_recordings_of_which_nothing_is_known(tmp_path, phrases):
    (tmp_path / "violin").mkdir()
    soundfile.write(tmp_path / "violin" / "mine.wav", phrases[0].audio, SAMPLE_RATE)
    with pytest.raises(ValueError, match="it is not known that any recording"):
        evaluate("violin", tmp_path / "violin")


def test_a_card_says_how_much_noise_is_played_and_leaves_out_a_memory_that_was_not_measured():
    card = load_card("trumpet") | {"noise": 0.75}
    assert "as in the recordings) | 0.75, little below the fundamental |" in card_text(card)
    assert "as in the recordings) | 0.75 |" in card_text(card | {"noise_below_fundamental": True})
    card["training"] |= {"memory_gb": 1.5}
    assert "minutes and 1.5 GB of memory on " in card_text(card)
    card["training"] |= {"memory_gb": None}
    assert "GB" not in card_text(card)


def test_the_shipped_cards_are_those_of_this_version():
    for folder in shipped_folder().iterdir():
        if folder.is_dir() and (folder / "card.json").exists():
            assert (folder / "README.md").read_text() == card_text(load_card(folder)), folder.relative_to(ROOT)


def test_the_card_names_the_command_that_repeats_the_training():
    card = load_card("trumpet")
    assert train_command(card) == (
        "timbrelib train FOLDER/trumpet --name my_trumpet --shifts -1 0 1 --n-codes 4096 --width 320"
    )
    card |= {"name": "my sound", "training": card["training"] | {"processes": 2, "kmeans_frames": 2000}}
    assert train_command(card) == (
        "torchrun --nproc-per-node 2 -m timbrelib train FOLDER/trumpet --name 'my sound' "
        "--shifts -1 0 1 --kmeans-frames 2000 --n-codes 4096 --width 320"
    )
