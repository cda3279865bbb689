# SPDX-License-Identifier: Apache-2.0
"""What Lightning's Trainer refuses is said in one line, with the option, before anything else."""

from inspect import signature

import pytest
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DDPStrategy

from disent.training.trainer import check_trainer, make_trainer
from tests.cli.small import fit

PARAMETERS = signature(Trainer.__init__).parameters
USUAL = {name: p.default for name, p in PARAMETERS.items() if name != "self"}
USUAL |= {"accelerator": "cpu", "devices": 1, "logger": False, "max_steps": 10}


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"devices": "{a: 1}"}, r"^--trainer\.devices \{a: 1\}: devices selected with CPUAcc"),
        ({"devices": 0}, r"^--trainer\.devices 0: "),
        ({"accelerator": "xpu"}, r"^--trainer\.accelerator xpu: You selected an invalid accel"),
        ({"strategy": "foo"}, r"^--trainer\.strategy foo: You selected an invalid strategy"),
        ({"max_time": "x"}, r"^--trainer\.max_time x: "),
        ({"profiler": "foo", "min_steps": 1}, r"^--trainer\.profiler foo: "),
        ({"barebones": True, "enable_progress_bar": True}, r"--trainer\.barebones True: "),
    ],
)
def test_the_option_that_is_refused_is_named(given, match):
    with pytest.raises(ValueError, match=match) as raised:
        check_trainer(USUAL | given, USUAL)
    assert str(raised.value).endswith("Leave it out, or see disent fit --help all.")
    assert "\n" not in str(raised.value)


def test_what_is_usual_passes_and_objects_are_left_alone():
    check_trainer(USUAL | {"callbacks": object(), "logger": object()}, USUAL)
    strategy = DDPStrategy()
    given = USUAL | {"strategy": strategy, "plugins": None}
    check_trainer(given, USUAL)
    assert make_trainer(given).strategy is strategy  # none but this one has filled it in


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("max_steps", "1.5", "--trainer.max_steps 1.5: Expected a whole number."),
        ("precision", "7", "--trainer.precision is 7, but a model's weights are float32"),
        ("callbacks", "x", "--trainer.callbacks x: there is no such class. The path of one is"),
        ("logger", "foo", "--trainer.logger foo: there is no such class. The path of one is"),
        ("strategy", "foo", "--trainer.strategy foo: You selected an invalid strategy name"),
    ],
)
def test_the_command_says_it_in_a_line_and_leaves_nothing_behind(
    option, value, said, tmp_path, capsys
):
    assert fit(tmp_path / "runs", f"--trainer.{option}", value) == 1
    told = capsys.readouterr().err.strip()
    assert told.startswith(f"disent: error: {said}")
    assert "\n" not in told
    assert not (tmp_path / "runs").exists()
