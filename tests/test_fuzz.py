"""Every file and message is read, or refused in a sentence, without exhausting the memory.

Every reader gets FUZZ_INPUTS inputs: by default the same 50, in `make fuzz` 2,000 new ones.
"""

import copy
import json
import os
import re
import shutil
import struct
import sys

import numpy as np
import pytest
import soundfile
from conftest import sine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import timbrelib
from timbrelib.audio.frames import N_BINS, SAMPLE_RATE
from timbrelib.codebook import analysis
from timbrelib.control.curves import read_curve
from timbrelib.control.search import MAX_TILT
from timbrelib.control.targets import SHAPES
from timbrelib.descriptors import DESCRIPTORS
from timbrelib.files import checked_name
from timbrelib.model import checkpoint
from timbrelib.model.network import MAX_SIZES, VQVAEConfig
from timbrelib.pad import messages
from timbrelib.pad.axes import FLAT
from timbrelib.pad.drawing import check_drawing
from timbrelib.recordings.training_frames import cut_frames
from timbrelib.training import resume
from timbrelib.training.trainer import Trainer

INPUTS = int(os.environ.get("FUZZ_INPUTS", "50"))
MEMORY = 2**30  # bytes that reading may add to what the process has
fuzzed = settings(
    max_examples=INPUTS,
    deadline=None,
    database=None,
    derandomize="FUZZ_INPUTS" not in os.environ,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small, chromatic):
    """A folder with a file of each kind, which has been read once."""
    folder = tmp_path_factory.mktemp("fuzz")
    model, history = small
    checkpoint.save_model(folder / "model", model, history, checkpoint.load_card("violin"))
    pitch, brightness = (
        chromatic.target("fundamental", "ramp", 310, 580, 32),
        chromatic.target("centroid", "sin", 1400, 1900, 32),
    )
    chromatic.render(pitch, brightness).save(folder / "rendering")  # with cents and tilt
    for kind in ("wav", "flac", "ogg", "mp3"):
        soundfile.write(folder / f"sound.{kind}", sine(440, 0.2), 16_000)
        timbrelib.load_audio(folder / f"sound.{kind}")
    timbrelib.load_model(folder / "model")
    return folder


@pytest.fixture(scope="module", autouse=True)
def _little_memory(folder):
    """Limit the memory, so that an allocation that is too large fails; only Linux keeps to such a limit."""
    if sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm", encoding="ascii") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def read_or_refused(read, *given_):
    """Return what is read, or None if it is refused in a sentence: what is wrong, and what to do."""
    try:
        return read(*given_)
    except (ValueError, FileNotFoundError) as error:
        refusal = error
    assert type(refusal) in (ValueError, FileNotFoundError)  # not a subclass such as UnicodeDecodeError
    assert re.fullmatch(r".+: .+", str(refusal))  # a dot does not match a new line
    assert len(str(refusal)) < 800
    return None


def mostly(fine, odd):
    """Draw from the first strategy four times out of five, else from the second."""
    return st.integers(0, 4).flatmap(lambda drawn: fine if drawn else odd)


PIECES = st.binary(min_size=1, max_size=12) | st.sampled_from(
    [b"\xff" * 8, b"\x00" * 8, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"[" * 5000, b"1e999", b"-1", b"NaN", b"\n"]
)


@st.composite
def damaged(draw, path):
    """Change, insert, delete, cut off or repeat some bytes of a file, half of the time among the first hundred."""
    data = bytearray(path.read_bytes())
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 4]))):
        at = draw(st.integers(0, min(len(data), 100)) | st.integers(0, len(data)))
        piece = draw(PIECES)
        match draw(st.sampled_from(["change", "change", "insert", "delete", "cut off", "repeat"])):
            case "change":
                data[at : at + len(piece)] = piece
            case "insert":
                data[at:at] = piece
            case "delete":
                del data[at : at + draw(st.integers(1, 1000))]
            case "cut off":
                del data[at:]
            case "repeat":
                data[at:at] = data[draw(st.integers(0, at)) : at]
    return bytes(data)


def file_like(path):
    """Bytes of a damaged file, or arbitrary ones."""
    return mostly(damaged(path), st.binary(max_size=300))


NUMBERS = [0, -1, 1.5, 2**31, 2**63, 10**400, -1e308, 1e308, float("nan"), float("inf")]
ODD = [None, True, "", "1", "a\nb", "\ud800", *NUMBERS]
ANYTHING = st.sampled_from(ODD) | st.recursive(
    st.sampled_from(ODD) | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def altered(draw, content, values=ANYTHING):
    """Replace some entry of the content of a JSON file by an arbitrary one, or delete it."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 4]))):
        place = content
        while place:
            key = draw(st.sampled_from(sorted(place)) if isinstance(place, dict) else st.integers(0, len(place) - 1))
            if isinstance(place[key], dict | list) and draw(mostly(st.just(True), st.just(False))):
                place = place[key]
                continue
            if draw(mostly(st.just(True), st.just(False))):
                place[key] = copy.deepcopy(draw(values))  # a copy, since it may be altered next
            else:
                del place[key]
            break
    return content


def json_like(path):
    """Bytes of a JSON file: altered, damaged or arbitrary."""
    known = mostly(altered(json.loads(path.read_bytes())), ANYTHING)
    return mostly(known.map(lambda value: json.dumps(value).encode()), file_like(path))


def replaced(path, content: bytes):
    """Copy the model with `content` in the place of one of its files."""
    other = path.parent.with_name("other")
    other.mkdir(exist_ok=True)
    for file in path.parent.iterdir():
        (other / file.name).unlink(missing_ok=True)
        if file.name != path.name:
            os.link(file, other / file.name)
    (other / path.name).write_bytes(content)
    return other


TYPES = ["F16", "F32", "F64", "BF16", "I8", "I32", "I64", "U16", "BOOL", "F8_E5M2"]


@st.composite
def weights_like(draw, path):
    """Tensors with an altered header, which may claim another length."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    values = ANYTHING | st.sampled_from(TYPES) | st.integers(0, len(content)) | st.just([64, 16])
    header = json.dumps(draw(altered(json.loads(content[8 : 8 + length]), values))).encode()
    claimed = draw(mostly(st.just(len(header)), st.integers(0, 2**64 - 1)))
    return struct.pack("<Q", claimed) + header + content[8 + length :]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_model(folder, name):
    path = folder / "model" / name

    @fuzzed
    @given(weights_like(path) | file_like(path) if name == "model.safetensors" else json_like(path))
    def check(content):
        model = read_or_refused(timbrelib.load_model, replaced(path, content))
        if model:
            assert (model.config.n_codes, model.config.code_size) == model.codebook.shape == (64, 16)
            assert all(tensor.isfinite().all() for tensor in model.state_dict().values())
            assert (model.use >= 0).all()
            assert (model.std > 0).all()
            assert 0 <= model.noise <= 1
            assert model.decoder[-1].out_features == model.config.outputs * N_BINS

    check()


def test_a_history(folder):
    @fuzzed
    @given(json_like(folder / "model" / "history.json"))
    def check(content):
        history = read_or_refused(checkpoint.load_history, replaced(folder / "model" / "history.json", content))
        if history:
            assert set(history) >= {"step", "loss", "codes_used", "perplexity"}
            assert np.isfinite(list(history.values())).all()

    check()


def test_a_card(folder):
    @fuzzed
    @given(json_like(folder / "model" / "card.json"))
    def check(content):
        card = read_or_refused(checkpoint.load_card, replaced(folder / "model" / "card.json", content))
        if card:
            assert f"{card['name']}, {card['licence']}, {', '.join(card['sources'])}"
            assert f"{card['data']['minutes']:.1f}, {card['training']['minutes']:.1f}, {card['scores']['lsd_db']:.2f}"
            memory = card["training"]["memory_gb"]
            assert memory is None or f"{memory:.1f}"
            assert f"{[f'{value:.1f}' for value in card['scores']['hnr_db_real']]}"

    check()


def test_a_training_checkpoint(folder, phrases):
    sizes = VQVAEConfig(n_codes=16, code_size=4, width=8, blocks=1)
    corpus, config = cut_frames(phrases[:1]), timbrelib.TrainingConfig(steps=3, batch=8, log_every=2)
    timbrelib.train(corpus, config, sizes, progress=False, checkpoints=folder)
    path, trainer = folder / resume.STATE, Trainer(corpus, config, sizes, "cpu")
    whole = path.read_bytes()
    trainer.restore(*resume.load_checkpoint(folder))

    @fuzzed
    @given(weights_like(path) | file_like(path))
    def check(content):
        path.write_bytes(content)
        state = read_or_refused(resume.load_checkpoint, folder)
        path.write_bytes(whole)
        if state and read_or_refused(lambda: trainer.restore(*state) or True):
            assert 0 < trainer.steps_done <= 3
            assert len(trainer.history) == trainer.steps_done // 2 + (trainer.steps_done == 3)

    check()


def test_the_settings_of_a_training(folder):
    config, sizes = timbrelib.TrainingConfig(), VQVAEConfig()
    splits = {"train": ["ab12"], "valid": [], "test": ["cd34"]}
    run = resume.Run("strings", config, sizes, (0.0,), ["me"], 3, 1.5, ["strings/a.wav"], splits, 1, 0.1, 0.2)
    path = folder / resume.RUN
    resume.save_run(folder, run)
    assert resume.load_run(folder) == run

    @fuzzed
    @given(json_like(path))
    def check(content):
        path.write_bytes(content)
        read = read_or_refused(resume.load_run, folder)
        resume.save_run(folder, run)
        if read:
            assert isinstance(read.config, timbrelib.TrainingConfig)
            assert read.sizes.n_codes <= MAX_SIZES["n_codes"]
            minutes = read.minutes + read.valid_minutes + read.test_minutes
            assert f"{', '.join([read.domain, *read.credits, *read.test])}, {minutes:.1f}"

    check()


def test_a_rendering(folder):
    @fuzzed
    @given(json_like(folder / "rendering.json"))
    def check(content):
        (folder / "bad.json").write_bytes(content)
        saved = read_or_refused(timbrelib.load_rendering, folder / "bad.json")
        if saved:
            assert len(saved.codes) > 0
            assert saved.codes.min() >= 0
            assert np.isfinite(saved.gain).all()
            curves = [*saved.targets.values(), *saved.selected.values(), *saved.measured.values()]
            assert {saved.gain.shape, *(curve.shape for curve in curves)} == {saved.codes.shape}
            assert not np.isinf(curves).any()
            assert 0 <= saved.noise <= 1
            cents, tilt = saved.code_path.cents, saved.code_path.tilt
            assert cents is None or (cents.shape == (len(saved.codes), 3) and np.abs(cents).max() <= 1200)
            assert tilt is None or (tilt.shape == saved.codes.shape and np.abs(tilt).max() <= MAX_TILT)

    check()


CELLS = (
    st.text(max_size=6)
    | st.floats().map(str)
    | st.integers().map(str)
    | st.sampled_from(["", '"', '"\n"', "\0", "1_0", "1,5", "1.000,5", "\ufeff"])
)
SEPARATORS = st.sampled_from([",", ";", "\t", " ", " ; "])
TABLES = st.tuples(st.lists(st.lists(CELLS, max_size=4), max_size=6), SEPARATORS).map(
    lambda table: "\n".join(table[1].join(row) for row in table[0])
)
RISING = st.lists(st.tuples(st.floats(0, 4000), CELLS), max_size=6).map(
    lambda rows: "time_s,target\n" + "".join(f"{time},{cell}\n" for time, cell in sorted(rows))
)


def test_a_curve(folder):
    texts = (TABLES | RISING).map(lambda text: text.encode("utf-8", "replace"))

    @fuzzed
    @given(file_like(folder / "rendering.csv") | texts, st.sampled_from(["centroid", "fundamental", "gain"]))
    def check(content, name):
        (folder / "bad.csv").write_bytes(content)
        curve = read_or_refused(read_curve, folder / "bad.csv", name)
        if curve is not None:
            assert curve.dtype == np.float64
            assert curve.ndim == 1
            assert np.isfinite(curve).all()
            assert name != "fundamental" or (curve > 0).all()

    check()


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg", "mp3"])
def test_a_sound(folder, kind):
    @fuzzed
    @given(file_like(folder / f"sound.{kind}"), mostly(st.just(kind), st.sampled_from(["raw", "au", "x"])))
    def check(content, suffix):
        (folder / f"bad.{suffix}").write_bytes(content)
        sound = read_or_refused(timbrelib.load_audio, folder / f"bad.{suffix}", 10.0)
        if sound is not None:
            assert sound.dtype == np.float32
            assert len(sound) >= 0.01 * SAMPLE_RATE - 1
            assert np.isfinite(sound).all()

    check()


def test_an_uploaded_sound(folder):
    @fuzzed
    @given(file_like(folder / "sound.wav"), st.text(max_size=300))
    def check(content, name):
        sound = read_or_refused(messages.read_sound, name, content)
        assert sound is None or np.isfinite(sound).all()

    check()


def test_a_cached_table(folder, monkeypatch):
    model = timbrelib.load_model(folder / "model")
    columns = timbrelib.analyse_codebook(model).columns
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    timbrelib.analyse_codebook(model)
    (path,) = (folder / "timbrelib").iterdir()
    intact = shutil.copy(path, folder / "table.npy")
    monkeypatch.setattr(analysis, "_measure_codes", lambda model, excitation, noise: columns)  # in no time

    @fuzzed
    @given(file_like(intact))
    def check(content):
        path.write_bytes(content)
        cached = timbrelib.analyse_codebook(model).columns
        assert cached.dtype == columns.dtype
        assert cached.shape == columns.shape
        np.testing.assert_array_equal(cached["code"], columns["code"])
        np.testing.assert_array_equal(cached["count"], columns["count"])

    check()


def message(**fine):
    """A message with entries that may be arbitrary, or an arbitrary message."""
    return mostly(st.fixed_dictionaries({key: mostly(entry, ANYTHING) for key, entry in fine.items()}), ANYTHING)


HEIGHTS = st.lists(mostly(st.floats(0, 1), st.sampled_from(NUMBERS)), max_size=9)


@fuzzed
@given(message(version=st.integers(0, 2**53), heights=HEIGHTS, shape=st.sampled_from(["sin", FLAT])))
def test_a_drawn_curve(message):
    version = read_or_refused(messages.read_version, message)
    assert version is None or 0 <= version < 2**53
    heights = read_or_refused(messages.read_heights, message)
    assert heights is None or (heights.dtype == np.float64 and len(heights) > 1 and np.ptp([0, 1, *heights]) == 1)
    assert read_or_refused(messages.read_shape, message) in {None, *SHAPES, FLAT}


@st.composite
def upload(draw):
    """Messages and parts of a file, some of which are altered, missing, repeated or arbitrary."""
    parts = draw(st.lists(st.binary(max_size=9), min_size=1, max_size=4))
    content, sent, start = b"".join(parts), [], 0
    for part in parts:
        sent.append({"name": "a.wav", "size": len(content), "start": start})
        start += len(part)
    if draw(st.booleans()):
        sent = draw(altered(sent))
    kinds = mostly(st.sampled_from([bytes, memoryview]), st.just(lambda part: [part]))
    held = [draw(mostly(kinds.map(lambda kind, part=part: [kind(part)]), ANYTHING)) for part in parts]
    steps = list(zip(sent, held, strict=False))
    return steps + draw(st.lists(st.sampled_from(steps), max_size=2)) if steps else []


@fuzzed
@given(upload())
def test_an_upload(steps):
    upload = messages.Upload()
    for message, parts in steps:
        if whole := read_or_refused(upload.add, message, parts):
            name, content = whole
            assert isinstance(name, str)
            assert len(content) == message["size"]


VALUES = mostly(st.floats(1, 4000), st.floats() | st.sampled_from(NUMBERS))
CURVES = mostly(st.lists(VALUES, min_size=21, max_size=24) | st.just(np.full(22, 1500.0)), ANYTHING)
NAMES = mostly(st.sampled_from([*DESCRIPTORS, "gain"]), st.sampled_from(["a\nb", "", 3, None]))


@fuzzed
@given(mostly(st.dictionaries(NAMES, CURVES, min_size=1, max_size=3), ANYTHING))
def test_a_drawing(curves):
    checked = read_or_refused(check_drawing, curves)
    if checked:
        assert next(iter(checked)) in DESCRIPTORS
        assert np.isfinite(list(checked.values())).all()


@fuzzed
@given(mostly(st.text("abcä𐌰1 .-_", max_size=100), st.text(max_size=100) | ANYTHING))
def test_a_name(name):
    checked = read_or_refused(checked_name, name)
    if checked:
        assert not set(checked) & set("/\\:\0\n")
        assert len(f".{checked}-12345678.json".encode()) <= 255
