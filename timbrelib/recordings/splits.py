"""Which recordings train a model, which validate it, and which are held back to test it.

The split belongs to the content of a recording, not to its name or place: it stays what it is
when files are added or renamed.  A model keeps it on its card, so that what it was trained on
never tests it.

Notebook: 01_train.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from timbrelib.audio.frames import SAMPLE_RATE

SPLITS = ("train", "valid", "test")
TEST_SHARE, VALID_SHARE = 0.10, 0.05  # of the recordings, if there are many
SINGLE_CUTS = {"train": (0.0, 0.85), "valid": (0.85, 0.9), "test": (0.9, 1.0)}  # shares of the only recording
DIGITS = 16  # of a digest that a card keeps


@dataclass(frozen=True)
class Excerpt:
    """A recording, or the part of it that belongs to a split.

    Attributes
    ----------
    name : str
        Path that starts with the name of the scanned folder, as in the manifest: ``violin/scale.flac``.
    path : Path
    split : {"train", "valid", "test"}
    start, stop : int
        Samples at 22,050 Hz.
    digest : str
        SHA-256 of the file, in hexadecimal.
    """

    name: str
    path: Path
    split: str
    start: int
    stop: int
    digest: str

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return (self.stop - self.start) / SAMPLE_RATE


def assign_splits(recordings: Iterable[Excerpt], known: Mapping[str, str]) -> list[Excerpt]:
    """Assign recordings to splits by their content: about 85 % train, 5 % validate, 10 % test.

    The digest of a file decides, whatever other files there are.  Only in a folder of few
    recordings one may have to move: the longest into the training split, if that would have
    less than half of the sound; one into the test split, if that would be empty.  A single
    recording is divided instead, as in `SINGLE_CUTS`.

    Parameters
    ----------
    recordings : iterable of Excerpt
        Whole recordings.
    known : mapping of str to str
        Splits that are already determined, by name or else by digest.

    Returns
    -------
    list of Excerpt
        In the same order.
    """
    recordings = list(recordings)
    splits = {r.digest: known.get(r.name) or known.get(r.digest) or _draw(r.digest) for r in recordings}
    new = [recording for recording in recordings if recording.digest not in known and recording.name not in known]
    if len(new) == len(recordings) == 1:
        return [_cut(new[0], split) for split in SPLITS]
    longest = max(new, key=lambda recording: (recording.stop, recording.digest), default=None)
    trained = sum(recording.stop for recording in recordings if splits[recording.digest] == "train")
    if longest and 2 * trained < sum(recording.stop for recording in recordings):
        splits[longest.digest] = "train"
    others = sorted({recording.digest for recording in new if recording is not longest})
    if others and "test" not in splits.values():
        splits[others[0]] = "test"
    return [replace(recording, split=splits[recording.digest]) for recording in recordings]


def _draw(digest: str) -> str:
    """Draw the split of a recording from the digits of its digest."""
    place = int(digest[:8], 16) / 16**8  # 0..1, evenly distributed
    return "test" if place < TEST_SHARE else "valid" if place < TEST_SHARE + VALID_SHARE else "train"


def _cut(recording: Excerpt, split: str) -> Excerpt:
    """Cut the part of the only recording that belongs to a split."""
    first, last = SINGLE_CUTS[split]
    end = recording.stop
    return replace(recording, split=split, start=round(first * end), stop=round(last * end))


def kept_splits(excerpts: Iterable[Excerpt]) -> dict[str, list[str]]:
    """List the recordings of each split as a model's card keeps them: the first `DIGITS` digits of their digests."""
    excerpts = list(excerpts)
    return {split: sorted({e.digest[:DIGITS] for e in excerpts if e.split == split}) for split in SPLITS}


def held_back(excerpts: Iterable[Excerpt], kept: Mapping[str, list[str]]) -> tuple[list[Excerpt], list[str]]:
    """Find the recordings that a model's card says were held back.

    Parameters
    ----------
    excerpts : iterable of Excerpt
        Of a scan, whatever splits it assigned.
    kept : mapping of str to list of str
        From `kept_splits`.

    Returns
    -------
    test : list of Excerpt
        Those of the test split; of a recording that was divided, its last part.
    unknown : list of str
        Names of recordings that are in no split: the model may or may not have heard a copy.
    """
    test, unknown = [], []
    whole: dict[Path, Excerpt] = {}
    for excerpt in excerpts:  # a divided recording is put together again
        stop = max(excerpt.stop, whole[excerpt.path].stop) if excerpt.path in whole else excerpt.stop
        whole[excerpt.path] = replace(excerpt, split="test", start=0, stop=stop)
    for recording in whole.values():
        digest = recording.digest[:DIGITS]
        if digest in kept["test"]:
            test.append(_cut(recording, "test") if digest in kept["train"] else recording)
        elif not any(digest in kept[split] for split in SPLITS):
            unknown.append(recording.name)
    return test, unknown
