# SPDX-License-Identifier: Apache-2.0
"""disent fit --fast: what it sets, and what it leaves to the user."""

from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from disent.runs import RunDir
from tests.cli.small import QUIET, SMALL, assert_same_weights, fit, raising

HAS_BFLOAT16 = {
    "AMX": "_is_amx_tile_supported",
    "AVX512-bf16": "_is_avx512_bf16_supported",
}


@pytest.fixture
def processor(monkeypatch):
    """Makes the processor one that computes in bfloat16 by these means only."""

    def pretend(*means: str) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        for name, function in HAS_BFLOAT16.items():
            monkeypatch.setattr(torch.cpu, function, lambda name=name: name in means)

    return pretend


def config_of(folder: Path, *more: str) -> dict:
    assert fit(folder, "--run", "fast", *QUIET, "--fast", *more) == 0
    return yaml.safe_load(RunDir(folder / "fast").config.read_text())


@pytest.mark.parametrize(
    ("means", "precision", "said"),
    [
        (
            ["AMX", "AVX512-bf16"],
            "bf16-mixed",
            "precision bf16-mixed (AMX), scores in bfloat16, 10 steps",
        ),
        (
            ["AVX512-bf16"],
            "bf16-mixed",
            "precision bf16-mixed (AVX512-bf16), scores in bfloat16, 10",
        ),
        ([], None, "precision 32-true (this processor does not compute in bfloat16), scores in"),
    ],
)
def test_precision_follows_the_processor_and_is_said(
    processor, tmp_path, capsys, means, precision, said
):
    processor(*means)
    config = config_of(tmp_path)
    assert (config["fast"], config["trainer"]["precision"]) == (True, precision)
    assert config["evaluate"]["precision"] == ("bfloat16" if precision else "float32")
    assert said in capsys.readouterr().out


def test_a_precision_that_was_asked_for_stays(processor, tmp_path, runs):
    processor("AVX512-bf16")
    config = config_of(tmp_path, "--trainer.precision", "32-true")
    assert config["trainer"]["precision"] == "32-true"
    assert config["evaluate"]["precision"] == "float32"
    # bursts alone change nothing
    assert_same_weights(runs / "whole", tmp_path / "fast")
    one, other = (
        pd.read_csv(run / "metrics.csv").drop(columns="images_per_second")
        for run in (runs / "whole", tmp_path / "fast")
    )
    assert one.to_csv() == other.to_csv()


def test_accumulation_and_clipping_are_part_of_bursts_too(tmp_path, processor, capsys):
    processor()
    more = ["--trainer.gradient_clip_val", "1", "--trainer.accumulate_grad_batches=2"]
    config_of(tmp_path, *more)
    assert "10 steps at a time" in capsys.readouterr().out
    assert list(pd.read_csv(tmp_path / "fast" / "metrics.csv")["step"])[:2] == [10, 20]
    assert fit(tmp_path, "--run", "slow", *QUIET, *more) == 0
    assert_same_weights(tmp_path / "slow", tmp_path / "fast")


def test_a_run_goes_on_with_the_precision_it_began_with(processor, tmp_path):
    """Requeued onto a node without bfloat16, it is slow there, and the same run."""
    processor("AVX512-bf16")
    config_of(tmp_path)
    processor()
    config = config_of(tmp_path)
    assert config["trainer"]["precision"] == "bf16-mixed"
    RunDir(tmp_path / "fast").write_status("failed")
    config = config_of(tmp_path)
    assert config["trainer"]["precision"] == "bf16-mixed"
    assert config["evaluate"]["precision"] == "bfloat16"


def test_a_strategy_with_steps_of_its_own_is_refused(tmp_path):
    with pytest.raises(ValueError, match="strategy is fsdp, but --fast steps the optimizer itself"):
        raising(*SMALL, "--fast", "--trainer.strategy", "fsdp", "--runs", str(tmp_path))
