# SPDX-License-Identifier: Apache-2.0
"""What the machine has: versions, cores, memory, bfloat16, GPUs, Slurm, W&B, room on its disks."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import torch
from packaging.requirements import Requirement

import disent
from disent.data.files import cache_folder
from disent.doctor.findings import Finding
from disent.launch.workers.processes import cores, visible_gpus
from disent.memory import memory_left
from disent.training.precision import has_bfloat16

DISTRIBUTION = "disent-suite"
EXTRAS = {"optuna": "Bayesian sweeps", "onnx": "ONNX programs of disent export"}
GIB = 2**30
LEAST_MEMORY, USUAL_MEMORY = 1.0, 4.0  # GiB
DSPRITES = 0.4  # GiB that the rendered dSprites take in the cache folder


def check_machine(runs: Path) -> list[Finding]:
    """Everything that is known without running anything.

    Args:
        runs: The folder in which runs would be kept.
    """
    return [
        *_versions(), _cores(), _memory(), _bfloat16(), _gpus(), _slurm(), _wandb(),
        _room("cache folder", cache_folder(), DSPRITES), _room("folder of runs", runs, 0.1),
    ]  # fmt: skip


def _versions() -> Iterator[Finding]:
    told = f"disent {disent.__version__}, Python {platform.python_version()}, torch "
    told += f"{torch.__version__}, lightning {metadata.version('lightning')}"
    yield Finding("versions", "ok", f"{told}; {Path(disent.__file__).parent}")
    try:
        wanted = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or []]
    except metadata.PackageNotFoundError:
        yield Finding("packages", "note", f"{DISTRIBUTION} is not installed, but run from a folder")
        wanted = []
    wrong = [line for one in wanted if one.marker is None and (line := _wrong(one))]
    if wrong:
        yield Finding("packages", "problem", f"{'; '.join(wrong)}. pip install -U {DISTRIBUTION}")
    elif wanted:
        yield Finding("packages", "ok", f"all {sum(r.marker is None for r in wanted)} as wanted")
    missing = [f"{name} ({what})" for name, what in EXTRAS.items() if find_spec(name) is None]
    if missing:
        yield Finding("extras", "note", f"not installed: {', '.join(missing)}")


def _wrong(wanted: Requirement) -> str:
    """What is wrong with an installed package; empty where nothing is."""
    try:
        found = metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is missing"
    if wanted.specifier.contains(found, prereleases=True):
        return ""
    return f"{wanted.name} is {found}, but {wanted.specifier} is wanted"


def _cores() -> Finding:
    told = f"{cores()} of {os.cpu_count()} may be used; torch takes {torch.get_num_threads()}"
    if torch.get_num_threads() > cores():
        return Finding("cores", "note", f"{told}: set OMP_NUM_THREADS={cores()}")
    return Finding("cores", "ok", f"{told}; {platform.machine()}")


def _memory() -> Finding:
    left = memory_left()
    if left is None:
        return Finding("memory", "note", "how much is free is not said here")
    free = left / GIB
    state = "problem" if free < LEAST_MEMORY else "note" if free < USUAL_MEMORY else "ok"
    more = "" if state == "ok" else f"; a run on dSprites takes about {LEAST_MEMORY:.0f} GiB"
    return Finding("memory", state, f"{free:.1f} GiB free{more}")


def _bfloat16() -> Finding:
    found = has_bfloat16("cpu")
    if found is None:
        told = "the processor does not compute in it: --fast saves little here"
        return Finding("bfloat16", "note", told)
    return Finding("bfloat16", "ok", f"the processor computes in it ({found})")


def _gpus() -> Finding:
    seen = visible_gpus()
    if not torch.cuda.is_available():
        if seen:
            told = f"there are {len(seen)}, but this torch ({torch.__version__}) sees none: "
            return Finding("GPUs", "problem", told + "install a build of torch for their driver")
        return Finding("GPUs", "note", "none: runs take the processor")
    names = []
    for i in range(torch.cuda.device_count()):
        found = torch.cuda.get_device_properties(i)
        memory = found.total_memory / GIB
        names.append(f"{found.name}, {memory:.0f} GiB, capability {found.major}.{found.minor}")
    return Finding("GPUs", "ok", f"{'; '.join(names)}; CUDA {torch.version.cuda}")


def _slurm() -> Finding:
    if shutil.which("sbatch") is None:
        return Finding("Slurm", "note", "no sbatch here: disent slurm prints scripts (--dry-run)")
    done = subprocess.run(["sbatch", "--version"], capture_output=True, text=True, check=False)
    lines = (done.stdout or done.stderr).strip().splitlines() or ["it says nothing"]
    if done.returncode:
        return Finding("Slurm", "note", f"sbatch is here, but no cluster: {lines[-1]}")
    job = os.environ.get("SLURM_JOB_ID")
    return Finding("Slurm", "ok", lines[-1] + (f"; inside job {job}" if job else ""))


def _wandb() -> Finding:
    try:
        version = metadata.version("wandb")
    except metadata.PackageNotFoundError:
        return Finding("W&B", "note", "not installed: --logger wandb cannot be used")
    mode = os.environ.get("WANDB_MODE", "online")
    return Finding("W&B", "ok", f"{version}, used where --logger wandb asks for it; mode {mode}")


def _room(what: str, folder: Path, least: float) -> Finding:
    """Whether a folder can be written, and the free space of its disk."""
    made = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(made).free / GIB
    told = f"{folder}, {free:.1f} GiB free"
    if not os.access(made, os.W_OK):
        instead = "set DISENT_DATA_DIR" if what.startswith("cache") else "name another: --runs"
        return Finding(what, "problem", f"{told}; it cannot be written: {instead}")
    kept = sorted(re.sub(r"-1\.bin$|\.bin$", "", file.name) for file in made.glob("*.bin"))
    holds = f"; holds {', '.join(kept)}" if kept and made == folder else ""
    if free < least and not holds:
        return Finding(what, "problem", f"{told}, but {least} GiB are wanted")
    return Finding(what, "ok", told + holds)
