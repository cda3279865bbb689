# SPDX-License-Identifier: Apache-2.0
"""Runs from the folders that W&B writes offline, without a server."""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BLOCK = 32_768  # bytes; a piece of a record never crosses the end of a block
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4  # which piece of a record it is
MAGIC = b":W&B"
HEADER = 7  # bytes, of the file and of each piece


@dataclass
class Logged:
    """What W&B's log says of a run; a run that was restarted has several logs.

    Attributes:
        run: Display name.
        id: W&B's id.
        folder: The folder of the last log.
        exit_code: Of the last log; None if it did not end in order.
    """

    run: str
    id: str
    folder: Path
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = None


def logs_in(folder: Path) -> list[Path]:
    """The *.wandb files in `folder`, in W&B's folders in it and in a folder wandb in it."""
    patterns = ("*.wandb", "*run-*/*.wandb", "wandb/*run-*/*.wandb")
    return sorted({file for pattern in patterns for file in folder.glob(pattern)})


def read_logs(files: list[Path]) -> list[Logged | tuple[Path, Exception]]:
    """A run each; the logs of one id, in the order of their folders' times, are one run.

    A log that cannot be read stands as its path with the error.
    """
    runs: dict[str, Logged] = {}
    broken: list[Logged | tuple[Path, Exception]] = []
    for file in sorted(files, key=lambda file: file.parent.name.split("-", 2)[-1]):
        try:
            _read(file, runs)
        except Exception as error:  # protobuf raises its own kinds
            broken.append((file, error))
    return [*runs.values(), *broken]


def _read(file: Path, runs: dict[str, Logged]) -> None:
    try:
        from wandb.proto import wandb_internal_pb2
    except ImportError:
        raise ValueError("to read W&B's logs, wandb must be installed: pip install wandb") from None
    # W&B builds this module when it is imported, so that type checkers do not see into it
    record_type: Any = vars(wandb_internal_pb2)["Record"]
    current: Logged | None = None
    for data in _records(file):
        record = record_type.FromString(data)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            told = record.run
            new = Logged(told.display_name or told.run_id, told.run_id, file.parent)
            current = runs.setdefault(told.run_id, new)
            current.folder, current.exit_code = file.parent, None
            _update(current.config, told.config.update)
        if current is None:
            continue
        if kind == "config":
            _update(current.config, record.config.update)
        elif kind == "summary":
            _update(current.summary, record.summary.update)
        elif kind == "history":
            row = {".".join(_keys(i)): json.loads(i.value_json) for i in record.history.item}
            current.history.append(row)
        elif kind == "exit":
            current.exit_code = record.exit.exit_code
    if current is None:
        raise ValueError(f"{file} does not say which run it is of: it was cut off at its start.")


def _records(file: Path) -> Iterator[bytes]:
    """The records of a log, which is laid out as those of LevelDB; a torn end is left out."""
    data = file.read_bytes()
    if data[:4] != MAGIC:
        raise ValueError(f"{file} is not a log of W&B: it starts with {data[:4]!r}, not {MAGIC!r}.")
    position, begun = HEADER, b""
    while position + HEADER <= len(data):
        left = BLOCK - position % BLOCK
        if left < HEADER:
            position += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        position += HEADER
        if not FULL <= kind <= LAST or position + length > len(data):
            return
        piece = data[position : position + length]
        position += length
        begun = piece if kind in (FULL, FIRST) else begun + piece
        if kind in (FULL, LAST):
            yield begun


def _update(into: dict[str, Any], items: Any) -> None:
    for item in items:
        *parents, last = _keys(item)
        target = into
        for key in parents:
            target = target.setdefault(key, {})
        target[last] = json.loads(item.value_json)


def _keys(item: Any) -> list[str]:
    return list(item.nested_key) or [item.key]
