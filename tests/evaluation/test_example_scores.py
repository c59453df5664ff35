import numpy as np
import pytest
from shaker import make_shaker

from timbrelib.audio.sound_files import read_samples
from timbrelib.audio.sound_output import round_to_16_bits, save_audio
from timbrelib.codebook.table import Codebook
from timbrelib.control.curves import fade
from timbrelib.control.saved_rendering import load_rendering
from timbrelib.control.timbre import Timbre
from timbrelib.evaluation.example_scores import (
    COLUMNS,
    TRACKING,
    example_rows,
    example_table,
    literal_rendering,
    rendered_rows,
    target_range,
)
from timbrelib.evaluation.published import PUBLISHED
from timbrelib.evaluation.sound_quality import judge_sound
from timbrelib.model.checkpoint import load_card

FRAMES = 80


def cells_of(table):
    """Rows of a Markdown table: a dict by header each."""
    header, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def folder(violin, tmp_path_factory):
    """Examples of the violin: one that was published, one with two targets, and a variant of it with noise."""
    folder = tmp_path_factory.mktemp("examples")
    centroid, pitch = (violin.target(name, "sin", n_frames=FRAMES) for name in ("centroid", "fundamental"))
    violin.render(centroid).save(folder / "violin_centroid_sin")
    violin.render(pitch, centroid).save(folder / "violin_two")
    violin.with_excitation("noise").render(pitch).save(folder / "violin_two_noise")
    violin.traverse("rolloff").save(folder / "violin_rolloff_sorted")
    return folder


@pytest.fixture(scope="module")
def rows(violin, folder):
    return example_rows(violin, "violin", folder)


@pytest.fixture(scope="module")
def shaker():
    return make_shaker()


@pytest.fixture(scope="module")
def shaken(shaker, tmp_path_factory):
    """A folder with an example of the shaker."""
    folder = tmp_path_factory.mktemp("shaken")
    shaker.render(shaker.target("centroid", "sin", n_frames=FRAMES)).save(folder / "shaker_centroid_sin")
    return folder


def test_the_published_sound_the_papers_method_and_this_library_have_a_row_each(rows):
    assert [row[:2] for row in rows] == [
        ("violin_centroid_sin", "published"),
        ("violin_centroid_sin", "paper's method"),
        ("violin_centroid_sin", "this library"),
        ("violin_two", "paper's method"),
        ("violin_two", "this library"),
        ("violin_two_noise", "this library"),  # a variant, and a traversal is no example
    ]
    assert rows[0][2] == PUBLISHED["violin_centroid_sin"]
    for _, _, cells in rows:
        assert set(COLUMNS) >= set(cells)


def test_an_example_is_scored_from_its_wav_file(violin, folder, rows, tmp_path):
    saved = load_rendering(folder / "violin_centroid_sin.json")
    cells = rows[2][2]
    again = violin.render(violin.target("centroid", saved.targets["centroid"]))
    quality = judge_sound(again.audio, "violin").cells()
    assert {column: cells[column] for column in quality} == quality
    assert cells["RPA 50 cents"] == "-"
    # the JSON keeps what was measured, the sound is another
    for suffix in ("json", "wav"):
        (tmp_path / f"violin_centroid_sin.{suffix}").write_bytes((folder / f"violin_two.{suffix}").read_bytes())
    save_audio(tmp_path / "violin_centroid_sin.wav", again.audio)
    other = example_rows(violin, "violin", tmp_path)[-1][2]
    assert {column: other[column] for column in quality} == quality


def test_a_sound_scores_in_memory_exactly_what_its_file_scores(violin, tmp_path):
    pitch, centroid = (violin.target(name, "sin", n_frames=FRAMES) for name in ("fundamental", "centroid"))
    for number, excitation in enumerate(("mixed", "noise")):
        faded = violin.render(pitch, centroid, gain=fade(FRAMES, 0.1), excitation=excitation)
        faded.save(tmp_path / f"violin_{number}")
        np.testing.assert_array_equal(read_samples(tmp_path / f"violin_{number}.wav"), faded.audio)
        each = [score.cells() for score in faded.score.values()]
        tracking = {column: "; ".join(c[column] for c in each if c[column] != "-") for column in TRACKING}
        cells = dict(example_rows(violin, "violin", tmp_path)[-1][2])
        low, high = (end(pitch.curve) for end in (np.min, np.max))
        assert cells.pop("target range").startswith(f"{low:.0f}-{high:.0f} Hz; ")
        assert cells == tracking | judge_sound(faded.audio, "violin").cells()


def test_the_range_of_a_target_has_a_unit_and_one_end_if_it_is_flat():
    assert target_range("fundamental", np.array([700.2, 196.7, 2267.0])) == "197-2267 Hz"
    assert target_range("centroid", np.full(3, 1500.0)) == "1500 Hz"
    assert target_range("flatness", np.array([0.00123, 0.02])) == "0.00123-0.02"


def test_an_example_with_two_targets_has_both_errors_and_the_accuracy_of_its_pitch(rows):
    cells = rows[4][2]
    pitch, centroid = cells["error"].split("; ")
    assert pitch.endswith(" cents")
    assert centroid.endswith(" %")
    assert cells["Spearman"].count(";") == 1
    assert cells["RPA 50 cents"].count("%") == 1


def test_the_papers_method_is_the_nearest_code_of_each_frame_excited_by_noise(violin, folder):
    saved = load_rendering(folder / "violin_centroid_sin.json")
    literal = literal_rendering(violin, saved)
    noisy = violin.with_excitation("noise")
    assert literal.excitation == "noise"
    assert (literal.code_path.cents, literal.code_path.tilt) == (None, None)
    value = noisy.codebook["centroid"]
    for code, wanted in zip(literal.codes, saved.targets["centroid"], strict=True):
        assert abs(value[code] - wanted) == pytest.approx(np.abs(value - wanted).min())
    decoded = noisy.model.decode(literal.codes, saved.gain, "noise")
    np.testing.assert_array_equal(literal.audio, round_to_16_bits(decoded))


def test_examples_of_a_model_whose_name_begins_alike_are_left_out(violin, folder, tmp_path):
    for suffix in ("json", "wav"):
        content = (folder / f"violin_centroid_sin.{suffix}").read_bytes()
        (tmp_path / f"violin_small_centroid_sin.{suffix}").write_bytes(
            content.replace(b'"model": "violin"', b'"model": "violin_small"')
        )
    assert example_rows(violin, "violin", tmp_path) == []


def test_only_sines_without_an_example_are_rendered(violin):
    examples = {f"violin_{name}_sin" for name in ("centroid", "bandwidth", "rolloff")}
    rows = rendered_rows(violin, "violin", examples)
    assert {made_by for _, made_by, _ in rows} == {"this library, rendered now"}
    names = [name for name, _, _ in rows]
    assert names[0] == "fundamental sin"
    assert set(names[1:]) <= {"fundamental sin, 208-1177 Hz"}
    score = violin.render(violin.target("fundamental", "sin")).score["fundamental"]
    assert rows[0][2]["RPA 50 cents"] == f"{score.rpa_50:.1f} %"


def test_the_table_ends_with_the_real_recordings_and_their_reconstructions(shaker, shaken):
    card = load_card("violin")
    *_, real, decoded = cells_of(example_table(shaker, card, shaken))
    assert real["sound"] == "real test recordings"
    assert real["HNR"] == f"{card['scores']['hnr_db_real'][1]:.1f} dB"
    assert real["flux"] == f"{card['scores']['flux_real'][1]:.3f}"
    assert real["heard as violin"] == f"{100 * card['scores']['heard_as_real']:.0f} %"
    assert decoded["flux"] == f"{card['scores']['flux_decoded'][1]:.3f}"
    assert decoded["jumps/s"] == f"{card['scores']['jumps_decoded']:.1f}"


def test_a_model_without_pitch_and_of_an_unknown_timbre_gets_through(shaker, shaken):
    assert "fundamental" not in shaker.codebook.descriptors
    card = load_card("violin")
    scores = {name: score for name, score in card["scores"].items() if not name.startswith(("jumps", "heard_as"))}
    rows = cells_of(example_table(shaker, card | {"domain": "shaker", "scores": scores}, shaken))
    assert [row["sound"] for row in rows[:2]] == ["shaker_centroid_sin"] * 2
    assert not any("fundamental" in row["sound"] for row in rows)
    for row in rows:
        assert (row["RPA 50 cents"], row["jumps/s"], row["heard as"]) == ("-", "-", "-")
    assert rows[1]["error"].endswith(" %")


def test_a_pitch_that_no_code_has_when_excited_by_noise_gives_an_empty_row(violin, folder):
    columns = violin.codebook.columns.copy()
    columns["fundamental"] = np.nan
    noisy = Codebook("unpitched", "noise", violin.noise, columns, violin.codebook.vectors)
    saved = load_rendering(folder / "violin_two.json")
    assert literal_rendering(Timbre(violin.model, noisy), saved) is None
