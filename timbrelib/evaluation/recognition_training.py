"""Train the classifier that recognises timbres on real recordings, and test it.

``python -m timbrelib.evaluation.recognition_training FOLDER`` writes the shipped classifier.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from timbrelib.evaluation.recognition import SHIPPED, TIMBRES, Classifier, window_features
from timbrelib.recordings.corpus import load_recordings

TRAINING_HOP = 4  # frames between windows; the scoring hop would see short notes at too few positions
NETWORKS, UNITS, EPOCHS, WEIGHT_DECAY = 3, 128, 30, 0.1  # chosen by cross-validation without the test split


def train_classifier(folder: str | Path, timbres: Sequence[str] = TIMBRES) -> Classifier:
    """Train a classifier on the train split of the recordings of several timbres.

    All timbres have the same weight, and all recordings of a timbre.  The same recordings give
    the same classifier.

    Parameters
    ----------
    folder : str or Path
        Contains a folder of recordings for each timbre.
    timbres : sequence of str
        At least three.

    Raises
    ------
    FileNotFoundError
        The recordings of a timbre are missing.
    ValueError
        There are fewer than three timbres.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    if len(timbres) < 3:
        raise ValueError(f"{len(timbres)} timbres are too few to tell apart: give at least three")
    features, labels, weights = [], [], []
    for timbre in timbres:
        windows = [window_features(r.audio, TRAINING_HOP) for r in load_recordings(timbre, "train", folder)]
        features += windows
        labels += [timbre] * sum(map(len, windows))
        weights += [np.full(len(rows), 1 / len(rows) / len(windows)) for rows in windows]
    weight = np.concatenate(weights) / np.concatenate(weights).mean()  # (windows,)
    with threadpool_limits(1), warnings.catch_warnings():  # in one thread, sums round the same way every time
        warnings.simplefilter("ignore", ConvergenceWarning)  # more epochs only fit the training windows better
        scaler = StandardScaler().fit(np.concatenate(features))
        inputs = scaler.transform(np.concatenate(features))  # (windows, features)
        networks = [
            MLPClassifier(UNITS, alpha=WEIGHT_DECAY, max_iter=EPOCHS, random_state=seed).fit(inputs, labels, weight)
            for seed in range(NETWORKS)
        ]
    return Classifier(
        mean=scaler.mean_.astype(np.float32),
        scale=scaler.scale_.astype(np.float32),
        hidden=np.array([network.coefs_[0] for network in networks], np.float16),
        hidden_bias=np.array([network.intercepts_[:1] for network in networks], np.float16),
        output=np.array([network.coefs_[1] for network in networks], np.float16),
        output_bias=np.array([network.intercepts_[1:] for network in networks], np.float16),
        tested=np.full(len(timbres), np.nan, np.float32),
        timbres=tuple(networks[0].classes_.tolist()),
    )


def score_classifier(classifier: Classifier, folder: str | Path) -> Classifier:
    """Return a classifier with its accuracy on the test split of the recordings of each of its timbres.

    Raises
    ------
    FileNotFoundError
        The recordings of a timbre are missing.
    """
    shares = [classifier.accuracy(load_recordings(timbre, "test", folder), timbre) for timbre in classifier.timbres]
    return replace(classifier, tested=np.array(shares, np.float32))


def main(arguments: list[str] | None = None) -> None:
    """Train a classifier, print its accuracy on the test split and save it; an expected error is one sentence."""
    parser = argparse.ArgumentParser(description="train the classifier of timbres, test it and save it")
    parser.add_argument("folder", help="contains a folder of recordings for each timbre")
    parser.add_argument("--timbres", nargs="+", default=TIMBRES, metavar="NAME", help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="file to write (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        classifier = score_classifier(train_classifier(options.folder, options.timbres), options.folder)
        for timbre, share in zip(classifier.timbres, classifier.tested, strict=True):
            print(f"{timbre:<10} {100 * share:5.1f} %")
        print(f"{'mean':<10} {100 * np.mean(classifier.tested):5.1f} %")
        classifier.save(options.out)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
