# SPDX-License-Identifier: Apache-2.0
"""Which room may import which: formulas know nothing of training, training nothing of clusters."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "disent"
NOUNS = {"gaussian", "grid", "schedules", "streams", "checks", "files", "memory", "stops"}
FORMULAS = {"likelihoods", "objectives", "networks", "metrics", "figures"}
# what the files of a room may import from the house, besides the room itself and the version
ALLOWED = {
    **{noun: set() for noun in NOUNS},
    **dict.fromkeys(FORMULAS, NOUNS),
    "data": NOUNS | {"runs"},
    "runs": {"files"},
    "models": NOUNS | FORMULAS - {"metrics", "figures"} | {"runs"},
    "codes": NOUNS | {"data"},
    "pca": NOUNS | {"data"},
    "regime": NOUNS,
    "local_pca": NOUNS | {"data"},
    "launch": {"files", "runs"},
    "latents": NOUNS | FORMULAS,
    "pictures": NOUNS | FORMULAS | {"data", "codes", "latents", "models"},
    "evaluation": NOUNS | FORMULAS | {"data", "codes", "pca", "models", "runs"},
    "fleet": NOUNS | FORMULAS - {"metrics", "figures"} | {"data", "models", "runs"},
}
ALLOWED["report"] = NOUNS | {"runs", "figures", "pictures", "models", "data"}
ALLOWED["callbacks"] = NOUNS | set(ALLOWED) - {"cli", "launch"}
ALLOWED["cli"] = set(ALLOWED)
BANNED = {  # packages that a room never imports
    "runs": {"torch", "lightning"},
    "launch": {"torch", "lightning", "wandb", "jsonargparse"},
    **{room: {"lightning", "wandb", "jsonargparse"} for room in FORMULAS | NOUNS},
    "data": {"wandb", "jsonargparse"},
    "models": {"wandb", "jsonargparse"},
    "fleet": {"wandb", "jsonargparse"},
}
FILES = sorted(HOUSE.rglob("*.py"))


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names


@pytest.mark.parametrize("file", FILES, ids=[str(f.relative_to(HOUSE)) for f in FILES])
def test_imports_stay_on_their_floors(file):
    room = file.relative_to(HOUSE).parts[0].removesuffix(".py")
    if room == "__init__":
        assert imported(file) == set()
        return
    room = "cli" if room == "__main__" else room
    names = imported(file)
    own = {name.split(".")[1] for name in names if name.startswith("disent.")}
    assert own - ALLOWED[room] - {room, "__version__"} == set()
    assert {name.split(".")[0] for name in names} & BANNED.get(room, set()) == set()


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        (
            "disent, disent.cli.main, disent.cli.fleet, disent.cli.sweep, disent.launch.workers.heartbeat",
            "torch",
        ),
        ("disent.launch.workers.workers, disent.launch.workers.calibrate, disent.launch.workers.progress", "torch"),
        ("disent.data, disent.metrics, disent.codes, disent.networks", "jsonargparse"),
        ("disent.fleet.speed, disent.fleet.record", "jsonargparse"),
        ("disent.data, disent.models, disent.callbacks.record, disent.fleet", "wandb"),
        ("disent.runs, disent.launch.workers.workers", "wandb"),
    ],
)
def test_importing_modules_leaves_another_unloaded(modules, absent):
    code = f"import sys, {modules}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
