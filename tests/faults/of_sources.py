# SPDX-License-Identifier: Apache-2.0
"""W&B's logs, own code, options that are expressions, an index of runs, and configs of a fit."""

import importlib
import json
import random
import struct
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from disent.config.fit import FitConfig
from disent.data.correlated import correlation_weights
from disent.data.splits import held_out
from disent.runs import load_histories, load_runs
from disent.runs.classes import find_class
from disent.runs.find import find_runs
from disent.runs.index import NAME
from disent.runs.selection import select_runs
from tests.data.tiny import Tiny
from tests.faults import documents
from tests.faults.damage import ANY, TEXT
from tests.faults.kinds import Kind
from tests.faults.of_runs import CONTENT, document
from tests.runs import study

# W&B's logs


def _write_log(folder: Path) -> Path:
    from wandb.proto import wandb_internal_pb2

    kinds: Any = vars(wandb_internal_pb2)
    run, history = kinds["Record"](), kinds["Record"]()
    run.run.run_id, run.run.display_name = "abc", "a run"
    for name, value in (("model", {"class_path": "a.B", "init_args": {"c": 4}}), ("seed", 0)):
        item = run.run.config.update.add()
        item.key, item.value_json = name, json.dumps(value)
    for name, value in (("_step", 3), ("elbo", -7.5)):
        item = history.history.item.add()
        item.nested_key.append(name)
        item.value_json = json.dumps(value)
    summary, end = kinds["Record"](), kinds["Record"]()
    item = summary.summary.update.add()
    item.key, item.value_json = "scores", json.dumps({"path": "media/table/scores.json"})
    end.exit.exit_code = 0
    file = folder / "offline-run-20260102_030405-abc" / "run-abc.wandb"
    beside = file.parent / "files" / "media" / "table" / "scores.json"
    beside.parent.mkdir(parents=True)
    beside.write_text(json.dumps(TABLE))
    records = [record.SerializeToString() for record in (run, history, summary, end)]
    file.write_bytes(b":W&B" + bytes(3) + b"".join(map(_piece, records)))
    return file


TABLE = {"columns": ["score", "value", "variant"], "data": [["mig", 0.5, "x"], ["sap", 0.1, "y"]]}


def _piece(data: bytes) -> bytes:
    return struct.pack("<IHB", 0, len(data), 1) + data


def _value(draw: random.Random, data: bytes) -> bytes:
    """Another JSON of the same length where one stood, as W&B keeps values."""
    told = [
        b'{"class_path": "a.B", "init_args": {"c": 4}}',
        b"-7.5",
        b'{"path": "media/table/scores.json"}',
    ]
    was = draw.choice(told)
    now = draw.choice(
        (b"[" * 40, b"null", b"1e999", b'"x"', b"NaN", b"{}", b"9" * 30, b'{"path": 3}')
    )
    return data.replace(was, now[: len(was)].ljust(len(was)))


def _write_beside(folder: Path) -> Path:
    return next((_write_log(folder).parent / "files").rglob("scores.json"))


def _log_folder(file: Path) -> Path:
    return next(p for p in file.parents if p.name.startswith("offline-")).parent


WANDB_READERS = (
    lambda file: load_runs(_log_folder(file)),
    lambda file: load_histories(_log_folder(file)),
)

# own code

CODE = '''"""Models of my own."""

from disent.models import BetaVAE


class Mine(BetaVAE):
    """The same."""

    strength = "beta"


def other(latent_dim, channels, size):
    return Mine()
'''


def _write_code(folder: Path) -> Path:
    (folder / "mine_of_faults.py").write_text(CODE)
    return folder / "mine_of_faults.py"


def _imported(file: Path) -> None:
    sys.path.insert(0, str(file.parent))
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        importlib.invalidate_caches()
        for name in ("Mine", "other"):
            sys.modules.pop(file.stem, None)
            find_class(f"{file.stem}.{name}")
    finally:
        sys.path.remove(str(file.parent))
        sys.dont_write_bytecode = before
        sys.modules.pop(file.stem, None)


# expressions, one a file

WORDS = (
    *("shape", "scale", "pos_x", "posx", "and", "or", "not", "in", "is", "<", "<=", "==", "!="),
    *("3", "12", "-1", "9" * 40, "1e9", "0", "//", "%", "**", "+", "*", "(", ")", "[", "]", ","),
    *(":", "=", "~", "0.2", "nan", "inf", "montero:extrapolation", "schott:random", "\0", "é"),
    *("lambda x: x", "__import__('os').system('x')", "'a'", "{}", "if", "else", "\n", "#", "\\"),
    *("beta", "state"),
)


def _expression(draw: random.Random, data: bytes) -> bytes:
    what = draw.random()
    if what < 0.1:
        word = draw.choice(("(", "not ", "-", "[", "1+", "pos_x < ", " ", "a ~", "x=", "~"))
        return (
            word * draw.choice((300, 5000, 30_000)) + draw.choice(("", "1", "shape == 1"))
        ).encode()
    words = [draw.choice(WORDS) for _ in range(draw.randrange(1, 12))]
    return draw.choice((" ", "")).join(words).encode("utf-8", "surrogatepass")


def _write_text(text: str) -> Any:
    def write(folder: Path) -> Path:
        (folder / "expression.txt").write_text(text)
        return folder / "expression.txt"

    return write


def _said_by(parse: Any) -> Any:
    return lambda file: parse(file.read_bytes().decode("utf-8", "surrogateescape"))


EXPRESSIONS = (*[_expression] * 8, *TEXT[:4])
GRID, RUNS = Tiny().grid, pd.DataFrame({"run": ["a", "b"], "beta": [1.0, 4.0], "state": ["x", ""]})

# an index of runs


def _write_index(folder: Path) -> Path:
    for number in range(3):
        study.write_run(folder, number, logged=2)
    load_runs(folder)
    return folder / NAME


def _indexed(file: Path) -> None:
    """An index that cannot be used is made anew: the table is the same."""
    assert sorted(load_runs(file.parent)["run"]) == [f"study-{n:05d}" for n in range(3)]


# folders of runs


def _write_folder(folder: Path) -> Path:
    return study.write_run(folder / "runs", 0, logged=2).path.parent / "study-00000" / "status.json"


def _circles(file: Path) -> None:
    file.write_text("{}")
    link = file.parent.parent / "again"
    if not link.is_symlink():
        link.symlink_to(file.parent.parent)


def _write_fit(folder: Path) -> Path:
    (folder / "fit.yaml").write_text(yaml.safe_dump(CONTENT | {"provenance": None}))
    return folder / "fit.yaml"


FIT = (lambda file: FitConfig.read(["--config", str(file)]),)

KINDS = (
    Kind("W&B log", _write_log, WANDB_READERS, (*ANY, *[_value] * 8)),
    Kind("W&B table", _write_beside, WANDB_READERS,
         (*TEXT, *[document(documents.as_json, TABLE)] * 12), share=0.5),
    Kind("own code", _write_code, (_imported,), TEXT, share=0.5),
    Kind("held_out", _write_text("shape == 1 and 2 <= pos_x < 5"),
         (_said_by(lambda text: held_out(GRID, text)),), EXPRESSIONS, lines=4),
    Kind("correlated", _write_text("pos_x ~ scale : 0.2"),
         (_said_by(lambda text: correlation_weights(GRID, text)),), EXPRESSIONS, share=0.7),
    Kind("--where", _write_text("beta >= 4"),
         (_said_by(lambda text: select_runs(RUNS, [text])),), EXPRESSIONS, share=0.7),
    Kind("index of runs", _write_index, (_indexed,), ANY, share=0.5),
    Kind("folder of runs", _write_folder, (lambda file: find_runs(file.parent.parent),), TEXT,
         (_circles,), share=0.2),
    Kind("--config", _write_fit, FIT,
         (*TEXT, *[document(documents.as_yaml, CONTENT)] * 12), share=0.3),
)  # fmt: skip
