"""The chunks of a WAV file, read without the library."""

import struct


def chunks(path):
    """Content of each chunk of a WAV by its name, in the order of the file; its lengths are checked."""
    data = path.read_bytes()
    assert (data[:4], struct.unpack("<I", data[4:8])[0], data[8:12]) == (b"RIFF", len(data) - 8, b"WAVE")
    found, place = {}, 12
    while place < len(data):
        name, length = struct.unpack("<4sI", data[place : place + 8])
        found[name.decode()] = data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
    assert place == len(data)
    return found
