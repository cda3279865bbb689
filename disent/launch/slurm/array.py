# SPDX-License-Identifier: Apache-2.0
"""A sweep as one Slurm job array: renders the script, and submits it."""

import hashlib
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import jinja2

from disent.files import write_text
from disent.launch.slurm.profile import Profile
from disent.launch.sweep.file import Sweep
from disent.launch.sweep.trials import list_trials

MOST = 1000  # elements of an array: Slurm's default MaxArraySize allows 1,001


def render(
    template: Path,
    sweep: Sweep,
    sweep_file: Path,
    profile: Profile,
    runs: Path,
    *,
    chunk: int | None = None,
    fleet: bool = False,
    program: Sequence[str] = ("disent",),
    folder: Path | None = None,
) -> str:
    """The sbatch script that runs every trial of a sweep.

    Args:
        template: Such as slurm/array.sbatch.
        sweep: What to run.
        sweep_file: Its file, for the command; one that stays as it is.
        profile: What an element asks the cluster for.
        runs: Folder of runs, which all nodes must see.
        chunk: Trials of an element; None: one, or all of them in a fleet.
        fleet: Whether an element trains its trials together, else one after another.
        program: What starts disent on the nodes.
        folder: Where the job works; None: the folder of the call.
    Raises:
        ValueError: The array would be too large, or cannot be chunked.
    """
    count, chunk = _shares(sweep, profile, chunk, fleet)
    elements = -(-count // chunk)
    words = [*program, "sweep", str(sweep_file), "--runs", str(runs), *["--fleet"] * fleet]
    command = " ".join([*map(shlex.quote, words), '--trial "$trial"', *_devices(profile)])
    return _environment(template).render(
        name=re.sub(r"[^A-Za-z0-9._-]+", "_", sweep.name),
        array=f"0-{elements - 1}" + (f"%{profile.throttle}" if profile.throttle else ""),
        logs=_directive(runs / ".sweeps" / sweep.name / "slurm"),
        profile=profile,
        summary=_summary(sweep, count, chunk, profile, fleet),
        folder=shlex.quote(str(folder or Path.cwd())),
        chunk=chunk,
        command=command,
    )


def kept_path(file: Path, folder: Path) -> Path:
    """Where a sweep file is kept below `folder`: by its content, and under its own name.

    Elements of an array start hours later, when the file in the checkout may be another.
    """
    return folder / hashlib.sha256(file.read_bytes()).hexdigest()[:8] / file.name


def keep(file: Path, kept: Path) -> None:
    """Copies a sweep file to where it is kept, for the elements to read."""
    write_text(kept, file.read_text(encoding="utf-8"))


def find_sbatch() -> None:
    """Raises ValueError where nothing can be submitted."""
    if shutil.which("sbatch") is None:
        raise ValueError(
            "there is no sbatch here: call this on a login node of the cluster, or look at the "
            "script with --dry-run."
        )


def submit(script: str, file: Path) -> str:
    """Keeps the script in `file` and hands it to sbatch; returns the job's number.

    Raises:
        ValueError: There is no sbatch, or it refused; the message is its own.
    """
    find_sbatch()
    write_text(file, script)  # makes its folder, which is that of the logs
    try:
        done = subprocess.run(
            ["sbatch", "--parsable", str(file)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(
            "sbatch did not answer in 120 s. See with squeue --me whether the job was taken, "
            f"before you submit again: sbatch {shlex.quote(str(file))}"
        ) from None
    if done.returncode:
        raise ValueError(f"sbatch refused {file}: {(done.stderr or done.stdout).strip()}")
    number = done.stdout.strip().split(";")[0]  # NUMBER, or NUMBER;CLUSTER
    if not number.isdecimal():
        raise ValueError(
            f"sbatch answered {done.stdout.strip()!r}, but a job number was expected. See with "
            "squeue --me whether the job was taken."
        )
    return number


def _shares(sweep: Sweep, profile: Profile, chunk: int | None, fleet: bool) -> tuple[int, int]:
    """How many trials there are, and how many an element gets."""
    trials = sweep.cap if sweep.method == "bayes" else len(list_trials(sweep))
    count = trials or 0
    chunk = chunk or (max(count, 1) if fleet else 1)
    elements = -(-count // chunk)
    if chunk > 1 and profile.ranks > 1:
        raise ValueError(
            f"an element of {profile.ranks} processes runs one trial: leave out --chunk, or take "
            "a profile of one task."
        )
    if elements > MOST:
        raise ValueError(
            f"{sweep.name} has {count:,} trials, and {elements:,} elements are more than an array "
            f"holds ({MOST:,}). Give several to each: --chunk {-(-count // MOST)}; or cut the grid."
        )
    if fleet and chunk == 1:
        raise ValueError("a fleet of one trial is a run alone: leave out --fleet, or --chunk 1.")
    return count, chunk


def _devices(profile: Profile) -> list[str]:
    """Options of every run for the devices of an element; none for one process."""
    if profile.ranks == 1:
        return []
    given = [f"--trainer.devices={profile.tasks}", f"--trainer.num_nodes={profile.nodes}"]
    return [f"--extra={option}" for option in given]


def _summary(sweep: Sweep, count: int, chunk: int, profile: Profile, fleet: bool) -> str:
    each = "a trial" if chunk == 1 else f"{chunk} trials"
    said = f"{sweep.name}: {count:,} trials, {each} an element"
    if fleet:
        said += ", trained together where that is faster"
    if profile.ranks > 1:
        said += f", each by {profile.ranks} processes that share its batch"
    return f"{said}."


def _directive(path: Path) -> str:
    """A path as sbatch reads it after #SBATCH: in double quotes, % doubled."""
    text = str(path).replace("%", "%%")
    if '"' in text or "\n" in text:
        raise ValueError(f"{path} cannot stand in an sbatch script. Name another folder of runs.")
    return f'"{text}"' if re.search(r"[^\w@%+=:,./-]", text) else text


def _environment(template: Path) -> jinja2.Template:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(template.read_text(encoding="utf-8"))
