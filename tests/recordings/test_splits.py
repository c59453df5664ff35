import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from timbrelib.audio.frames import SAMPLE_RATE
from timbrelib.recordings.splits import Excerpt, assign_splits, held_back, kept_splits


def whole(name, seconds=1.0, content=None):
    digest = hashlib.sha256((content or name).encode()).hexdigest()
    return Excerpt(name, Path(name), "train", 0, int(seconds * SAMPLE_RATE), digest)


def splits_of(recordings, known=None):
    return {excerpt.digest: excerpt.split for excerpt in assign_splits(recordings, known or {})}


MANY = [whole(f"x/{number}.wav") for number in range(400)]


def test_of_twenty_recordings_about_two_test_and_one_validates():
    counts = Counter(splits_of(MANY).values())
    assert counts["test"] == pytest.approx(40, abs=12)
    assert counts["valid"] == pytest.approx(20, abs=9)


def test_added_recordings_do_not_move_those_that_were_there():
    before = splits_of(MANY[:200])
    after = splits_of(MANY)
    assert {digest: after[digest] for digest in before} == before


def test_a_renamed_folder_and_renamed_files_keep_their_splits():
    renamed = [replace(recording, name=f"y/copy of {place}.wav") for place, recording in enumerate(MANY)]
    assert splits_of(renamed) == splits_of(MANY)


def test_a_copy_under_another_name_is_in_the_split_of_its_original():
    copies = [whole(f"x/{number}.wav", content=f"take {number // 2}") for number in range(100)]
    for first, second in zip(*[iter(assign_splits(copies, {}))] * 2, strict=True):
        assert first.split == second.split


@pytest.mark.parametrize("long", [0, 1])
def test_two_recordings_make_a_training_and_a_test_split(long):
    recordings = [whole("x/a.wav", 9 if long == 0 else 1), whole("x/b.wav", 9 if long == 1 else 1)]
    splits = [excerpt.split for excerpt in assign_splits(recordings, {})]
    assert splits == (["train", "test"] if long == 0 else ["test", "train"])


def test_most_of_the_sound_trains_and_something_tests_in_every_small_folder():
    for number in range(50):
        recordings = [whole(f"{number}/{place}.wav", 60 if place == 0 else 1) for place in range(4)]
        excerpts = assign_splits(recordings, {})
        assert excerpts[0].split == "train"
        assert "test" in {excerpt.split for excerpt in excerpts}


def test_known_splits_are_kept_by_name_and_by_content():
    recordings = [whole("x/a.wav"), whole("x/b.wav"), whole("x/c.wav", 9)]
    known = {"x/a.wav": "valid", recordings[0].digest: "train", recordings[1].digest: "test"}
    assert [excerpt.split for excerpt in assign_splits(recordings, known)] == ["valid", "test", "train"]


def test_only_what_was_held_back_tests_a_model_whatever_was_added_or_renamed():
    kept = kept_splits(assign_splits(MANY[:200], {}))
    renamed = [replace(recording, name=recording.name.replace("x/", "y/")) for recording in MANY[:200]]
    test, unknown = held_back([*renamed, *MANY[200:]], kept)
    assert {recording.digest[:16] for recording in test} == set(kept["test"])
    assert len(unknown) == 200


def test_the_last_part_of_a_divided_recording_tests_even_if_others_were_added():
    kept = kept_splits(assign_splits([whole("x/single.wav", 100)], {}))
    test, unknown = held_back([whole("x/single.wav", 100), whole("x/more.wav", 100)], kept)
    assert [(round(excerpt.start / SAMPLE_RATE), round(excerpt.stop / SAMPLE_RATE)) for excerpt in test] == [(90, 100)]
    assert unknown == ["x/more.wav"]
