from dataclasses import asdict, fields

import pytest

from timbrelib.cli import main
from timbrelib.training.config import FORMER_NAMES, TrainingConfig, current_names


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 0}, {"batch": 1.5}, {"learning_rate": float("nan")}, {"ema_decay": 1.0}, {"seed": True},
        {"commitment": 10**400},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="give"):
        TrainingConfig(**settings)


def test_the_command_line_describes_every_setting(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    for setting in fields(TrainingConfig):
        assert setting.metadata["help"] in said
        assert f"--{setting.name.replace('_', '-')} " in said
    assert not any(f"--{former.replace('_', '-')} " in said for former in FORMER_NAMES)


def test_former_names_are_replaced_and_present_ones_are_kept():
    present = asdict(TrainingConfig(ema_decay=0.5))
    former = {new: old for old, new in FORMER_NAMES.items()}
    assert current_names({former.get(name, name): value for name, value in present.items()}) == present
    assert current_names(present) == present
