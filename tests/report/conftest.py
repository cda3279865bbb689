# SPDX-License-Identifier: Apache-2.0
"""A report of trained, made-up, failed and oddly named runs."""

import json

import pytest

from disent.cli.main import main
from disent.runs import RunDir
from tests.cli.small import QUIET, fit
from tests.runs.study import write_run

ODD = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """24 made-up runs, one of them failed; two trained and scored ones, one oddly named."""
    root = tmp_path_factory.mktemp("report")
    for number in range(24):
        write_run(root, number, logged=4)
    failed = RunDir(root / "study-00005")
    reason = "the loss is nan </script><script>alert(2)</script>"
    failed.write_status("failed", reason=reason)
    for name, seed in (("trained", "0"), (ODD, "1")):
        assert fit(root, "--run", name.replace(" ", "-"), *QUIET, "--seed_everything", seed) == 0
    runs = [str(path) for path in root.iterdir() if (path / "checkpoints").exists()]
    assert main(["evaluate", *runs, "--metrics", "mig,beta_vae_score", "--device", "cpu"]) == 0
    for path in runs:  # two active latents each, whatever they learnt
        run = RunDir(path)
        record = run.read_scores()
        record["rates"] = [1.0, 0.5] + [0.0] * 8
        run.scores.write_text(json.dumps(record))
    return root


@pytest.fixture(scope="session")
def report(folder):
    file = folder / "report.html"
    assert main(["report", str(folder)]) == 0
    return file
