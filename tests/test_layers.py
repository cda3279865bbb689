# SPDX-License-Identifier: Apache-2.0
"""Which room may import which: formulas know nothing of training, training nothing of clusters."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "disent"
NOUNS = {"gaussian", "grid", "streams", "checks", "memory", "files", "internals", "stops"}
NOUNS |= {"discrepancy", "documents", "factors", "shipped", "loading"}
FORMULAS = {"likelihoods", "objectives", "networks", "metrics", "figures", "priors"}
# what the files of a room may import from the house, besides the room itself and the version
ALLOWED: dict[str, set[str]] = {
    **{noun: set() for noun in NOUNS},
    **dict.fromkeys(FORMULAS, NOUNS),
    "runs": {"files", "documents", "shipped"},
    "launch": {"runs", "files", "documents", "shipped"},
    "shipped": {"files"},
    "data": NOUNS,
    "encoding": NOUNS | {"data"},
    "codes": NOUNS | {"data", "encoding"},
    "models": NOUNS | FORMULAS - {"metrics", "figures"} | {"data", "runs"},
}
ALLOWED["latents"] = NOUNS | FORMULAS | {"data", "encoding", "codes"}
ALLOWED["evaluation"] = NOUNS | {"metrics", "likelihoods", "data", "encoding", "codes", "runs"}
ALLOWED["evaluation"] |= {"latents"}
ALLOWED["report"] = NOUNS | {"figures", "data", "encoding", "latents", "runs"}
ALLOWED["callbacks"] = NOUNS | {"data", "codes", "models", "latents", "evaluation", "runs"}
ALLOWED["config"] = NOUNS | FORMULAS | {"data", "models", "evaluation", "runs"}
ALLOWED["training"] = NOUNS | {"data", "codes", "models", "latents", "evaluation", "callbacks"}
ALLOWED["training"] |= {"config", "report", "runs"}
ALLOWED["fleet"] = NOUNS | {"data", "models", "callbacks", "config", "training", "launch", "runs"}
ALLOWED["cli"] = NOUNS | {"data", "codes", "models", "latents", "evaluation", "config", "training"}
ALLOWED["export"] = NOUNS | {"networks", "data", "runs"}
ALLOWED["doctor"] = NOUNS | {"metrics", "data", "models", "training", "fleet", "launch", "runs"}
ALLOWED["cli"] |= {"fleet", "launch", "report", "runs", "export", "doctor"}
BANNED = {  # packages that a room never imports
    "runs": {"lightning", "wandb"},
    "launch": {"torch", "lightning", "wandb", "jsonargparse"},
    **{room: {"lightning", "wandb", "jsonargparse"} for room in FORMULAS | NOUNS - {"internals"}},
    **{room: {"wandb", "jsonargparse"} for room in ("data", "models", "fleet", "latents")},
    **{
        room: {"wandb", "jsonargparse"} for room in ("evaluation", "callbacks", "encoding", "codes")
    },
    "training": {"wandb"},
    "export": {"wandb", "jsonargparse"},
}
PRIVATE = {"_signal_connector", "_checkpoint_connector", "_should_accumulate", "fit_loop"}
PRIVATE |= {"_trainer"}
FILES = sorted(HOUSE.rglob("*.py"))


def room_of(file: Path) -> str:
    room = file.relative_to(HOUSE).parts[0].removesuffix(".py")
    return "cli" if room == "__main__" else room


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


def test_every_room_says_what_it_may_import_and_no_two_import_each_other():
    rooms = {room_of(file) for file in FILES} - {"__init__"}
    assert rooms == set(ALLOWED)
    assert all(allowed < rooms for allowed in ALLOWED.values()), "no room imports everything"
    left = {room: set(allowed) for room, allowed in ALLOWED.items()}
    while left:  # rooms whose imports are all below them are taken away, floor by floor
        ground = {room for room, above in left.items() if not above & set(left)}
        assert ground, f"a circle among {sorted(left)}"
        left = {room: above for room, above in left.items() if room not in ground}


@pytest.mark.parametrize("file", FILES, ids=[str(f.relative_to(HOUSE)) for f in FILES])
def test_imports_stay_on_their_floors(file):
    room, names = room_of(file), imported(file)
    if room == "__init__":
        assert names == set()
        return
    own = {name.split(".")[1] for name in names if name.startswith("disent.")}
    assert own - ALLOWED[room] - {room, "__version__"} == set()
    banned = BANNED.get(room, set())
    used = {name.split(".")[0] for name in names} & banned
    if file.name == "wandb_log.py":  # the one that logs to it, when it is asked to
        used -= {"wandb"}
    if room == "runs" and file.name.startswith("wandb_"):  # the ones that read it
        used -= {"wandb"}
    assert used == set()


@pytest.mark.parametrize("file", FILES, ids=[str(f.relative_to(HOUSE)) for f in FILES])
def test_one_file_touches_the_private_parts_of_lightning(file):
    if file.name == "internals.py":
        return
    tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    assert {node.attr for node in tree if isinstance(node, ast.Attribute)} & PRIVATE == set()


@pytest.mark.parametrize(
    ("absent", "modules"),
    {
        "torch numpy wandb": "disent, disent.files, disent.runs, disent.cli.main, "
        "disent.cli.fleet, disent.cli.sweep, disent.launch.slurm.array, "
        "disent.launch.workers.heartbeat, disent.launch.workers.workers, "
        "disent.launch.workers.calibrate, disent.launch.workers.progress, disent.report.terminal",
        "jsonargparse wandb": "disent.data, disent.metrics, disent.codes, disent.networks, "
        "disent.models, disent.evaluation, disent.training.step, disent.fleet.speed, "
        "disent.fleet.record, disent.fleet, disent.callbacks.record",
        "altair vl_convert": "disent.report.page, disent.cli.report, disent.training.run",
    }.items(),
)
def test_importing_modules_leaves_others_unloaded(absent, modules):
    code = f"import sys, {modules}; print(*({set(absent.split())} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
