# SPDX-License-Identifier: Apache-2.0
"""A real Slurm of two nodes on this machine, and tiny sweeps to run on it."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("cluster.sh")
NEEDED = ("slurmctld", "slurmd", "sbatch", "srun", "munged")
RUN = {  # 60 steps of a linear network on 128 pictures
    "model": "BetaVAE", "model.beta": 4, "model.network": "Linear", "data": "tests.tiny.Squares",
    "trainer.max_steps": 60, "trainer.log_every_n_steps": 10, "loader.batch_size": 8,
    "loader.sampling": "shuffled", "checkpoint_every_n_steps": 20, "evaluate.at_end": False,
    "pictures.at_end": False,
}  # fmt: skip


@dataclass
class Cluster:
    """Commands against the cluster, and a folder for one test."""

    environment: dict[str, str]
    folder: Path
    work: Path = ROOT  # where commands are called

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def call(self, *words: str) -> str:
        done = subprocess.run(
            words, env=self.environment, cwd=self.work, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def sweep(self, *, seeds: int = 1, given: dict[str, Any] = RUN, **fixed: Any) -> Path:
        """Writes a sweep of tiny runs; double underscores stand for dots."""
        given = given | {name.replace("__", "."): value for name, value in fixed.items()}
        parameters = {"seed_everything": {"values": list(range(seeds))}}
        parameters |= {name: {"value": value} for name, value in given.items()}
        command = ["${env}", "disent", "fit", "--config", "locatello2019", "${args}"]
        file = self.folder / "tiny.yaml"
        file.write_text(
            yaml.safe_dump({"method": "grid", "parameters": parameters, "command": command})
        )
        return file

    def submit(self, sweep: Path, *more: str, **profile: Any) -> str:
        """Submits by `disent slurm`; returns the job's number."""
        file = self.folder / "profile.yaml"
        file.write_text(yaml.safe_dump({"time": "00:10:00", "cpus": 1, "grace": 60} | profile))
        words = [sys.executable, "-m", "disent", "slurm", str(sweep), "--profile", str(file)]
        said = self.call(*words, "--runs", str(self.runs), *more)
        return said.removeprefix("job ").split(":")[0]

    def jobs(self, what: str = "%i %T") -> list[str]:
        return self.call("squeue", "-h", "-r", "-o", what).splitlines()

    def wait(self, condition: Any, seconds: float = 240.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.jobs("%i %T %r %N"), self.logs())
            time.sleep(0.2)

    def wait_until_empty(self, seconds: float = 240.0) -> None:
        self.wait(self._is_empty, seconds)

    def _is_empty(self) -> bool:
        """Whether no job is left; one that Slurm could not launch, and holds, is released."""
        jobs = self.jobs("%i %r")
        for job in jobs:
            number, _, reason = job.partition(" ")
            if reason.startswith("launch failed"):  # a node of this busy machine was slow
                self.call("scontrol", "release", number)
        return not jobs

    def trained(self) -> bool:
        """Whether the run has its first checkpoint."""
        return bool(list(self.runs.glob("tiny*/checkpoints/last.ckpt")))

    def logs(self) -> str:
        return "\n".join(file.read_text() for file in self.runs.rglob("slurm/*.log"))


@pytest.fixture(scope="session")
def started(tmp_path_factory):
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(
            "no Slurm to test with: as root, apt-get install slurm-wlm munge "
            f"(missing: {', '.join(missing) or 'root'})"
        )
    folder = tmp_path_factory.mktemp("slurm")
    subprocess.run([SCRIPT, "start", folder], check=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SLURM")}
    environment |= {"SLURM_CONF": str(folder / "slurm.conf"), "MASTER_ADDR": "127.0.0.1"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    yield environment | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([SCRIPT, "stop", folder], check=True)


@pytest.fixture
def cluster(started, tmp_path):
    cluster = Cluster(started, tmp_path)
    yield cluster
    cluster.call("scancel", "--full", "-u", "root")
    cluster.wait_until_empty(60)


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The same run, never interrupted, without Slurm."""
    folder = tmp_path_factory.mktemp("whole")
    words = [f"--{name}={value}" for name, value in RUN.items()]
    words = [sys.executable, "-m", "disent", "fit", "--config", "locatello2019", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*words, "--runs", folder, "--run", "whole"], cwd=ROOT, env=environment, check=True
    )
    return folder / "whole"
