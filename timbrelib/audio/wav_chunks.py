"""WAV files for instruments: 16-bit samples at 44,100 Hz, with chunks that say how to play them.

libsndfile writes none of these chunks.  Readers skip the chunks that they do not know.
"""

import struct
from collections.abc import Mapping

import numpy as np

RATE = 44_100  # Hz, at which no sampler makes images of what lies below 11,025 Hz
MAX_SAMPLE = 2**15 - 1


def encode_instrument_wav(audio: np.ndarray, chunks: Mapping[str, bytes]) -> bytes:
    """Encode a sound as a mono WAV with 16 bits a sample at `RATE`.

    Parameters
    ----------
    audio : ndarray, float, (n,)
        Within -1..1.
    chunks : mapping of str to bytes
        Content of further chunks by their names of four characters, which precede the samples, since
        some readers stop after those.

    Returns
    -------
    bytes
    """
    samples = np.rint(np.asarray(audio) * MAX_SAMPLE).astype("<i2").tobytes()
    mono, width = 1, 2  # channels, bytes per sample
    layout = struct.pack("<HHIIHH", 1, mono, RATE, RATE * width, width, 8 * width)
    body = b"WAVE" + b"".join(_chunk(*one) for one in {"fmt ": layout, **chunks, "data": samples}.items())
    return _chunk("RIFF", body)


def _chunk(name: str, content: bytes) -> bytes:
    """Write a chunk of RIFF: its name, its length, and its content, padded to an even length."""
    return name.encode("ascii") + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def wavetable_chunk(frame: int) -> bytes:
    """Content of ``clm ``, by which Serum, Vital, Surge XT and others know a wavetable and its `frame` length.

    The first flag asks for linear crossfades between frames.
    """
    return f"<!>{frame} 10000000 wavetable (timbrelib)".encode("ascii")


def loop_chunk(key: int, start: int, end: int) -> bytes:
    """Content of ``smpl``: the MIDI `key` of a sample, and its loop from sample `start` to `end`, both included."""
    header = struct.pack("<9I", 0, 0, round(1e9 / RATE), key, 0, 0, 0, 1, 0)
    return header + struct.pack("<6I", 0, 0, start, end, 0, 0)


def text_chunk(copyright_: str, comment: str) -> bytes:
    """Content of ``LIST``: the copyright line and a comment, as players of sound show them."""
    entries = {"ICOP": copyright_, "ICMT": comment}
    return b"INFO" + b"".join(_chunk(name, text.encode("utf-8") + b"\0") for name, text in entries.items())
