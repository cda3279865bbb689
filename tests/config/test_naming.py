# SPDX-License-Identifier: Apache-2.0
"""Names are readable, differ when settings differ, and stay when nothing does."""

import subprocess
import sys

import pytest

from disent.config.compare import differences
from disent.config.naming import run_name
from disent.config.provenance import provenance

BETA = {"class_path": "disent.models.BetaVAE", "init_args": {"beta": 4.0, "lr": 1e-4}}
CONFIG = {"model": BETA, "seed_everything": 3}


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["--config", "quickstart"], "quickstart-BetaVAE-beta4-seed3"),
        (["--config=x/presets/quickstart.yaml"], "quickstart-BetaVAE-beta4-seed3"),
        (["--config", "a.yaml", "--model.beta", "4"], "a-BetaVAE-beta4-seed3"),
        (["--config", "a.yaml", "--model.lr=0.01"], "a-BetaVAE-beta4-lr0.01-seed3"),
        (["--config", "runs/old/config.yaml"], "old-BetaVAE-beta4-seed3"),
        (["--data", "DSprites"], "custom-BetaVAE-DSprites-beta4-seed3"),
        (["--evaluate.every_n_steps", "5", "--runs", "x"], "custom-BetaVAE-beta4-seed3"),
        (
            ["--loader.held_out", "pos_x >= 24"],
            "custom-BetaVAE-beta4-held_outpos_x_ge_24-seed3",
        ),
    ],
)
def test_names(argv, name):
    assert run_name(argv, CONFIG) == name


def test_a_knob_without_a_value_is_left_out_and_still_told_from_every_value():
    def named(**given):
        model = {"class_path": "disent.models.ConditionalVAE", "init_args": given}
        return run_name(["--config", "conditional"], {"model": model, "seed_everything": 0})

    assert named(conditions=None) == "conditional-ConditionalVAE-seed0"
    assert named(conditions="shape") == "conditional-ConditionalVAE-conditionsshape-seed0"
    assert named(conditions="None") == "conditional-ConditionalVAE-conditionsNone-seed0"


@pytest.mark.parametrize("argv", [["--fast"], ["--fast", "true"], ["--fast=yes"]])
def test_a_fast_run_says_so_however_it_was_asked_for(argv):
    assert run_name(argv, {**CONFIG, "fast": True}) == "custom-BetaVAE-beta4-fast-seed3"
    for other in (["--fast=no"], ["--no_fast"]):
        assert run_name(other, {**CONFIG, "fast": False}) == "custom-BetaVAE-beta4-seed3"


def test_a_long_name_is_cut_and_stays_distinct():
    names = {
        run_name(["--trainer.max_time", f"{'1' * 200}{end}"], CONFIG) for end in ("a", "b", "b")
    }
    assert len(names) == 2
    assert all(len(name) <= 120 for name in names)


def test_differences_are_named_by_their_path():
    other = {"model": {**BETA, "init_args": {"beta": 8.0, "lr": 1e-4}}, "seed_everything": 3}
    assert differences(CONFIG, other) == ["model.init_args.beta: 4.0 -> 8.0"]
    assert differences(CONFIG, CONFIG) == []
    assert differences({}, {"a": 1}) == ["a: None -> 1"]


def test_provenance_holds_the_command_and_the_versions():
    made = provenance(["--config", "quickstart"])
    assert made["command"] == ["disent", "fit", "--config", "quickstart"]
    assert {"disent", "git_commit", "python", "torch", "lightning"} <= made.keys()


def test_help_answers_without_torch_or_lightning():
    code = (
        "import sys\nfrom disent.cli.main import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "assert not {'torch', 'lightning', 'pandas', 'numpy'} & set(sys.modules)"
    )
    for command in ([], ["evaluate"], ["traverse"], ["runs"], ["data"], ["data", "prepare"]):
        result = subprocess.run(
            [sys.executable, "-c", code, *command, "--help"], capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr
        assert "usage: disent" in result.stdout
