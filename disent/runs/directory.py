# SPDX-License-Identifier: Apache-2.0
"""The run directory: where a run's config, status, logged steps, scores and pictures lie."""

import csv
import io
import json
import math
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import AcquireReturnProxy, FileLock, Timeout

from disent import files
from disent.documents import read_json, read_text, read_yaml
from disent.runs.entries import check_config, check_scores, check_status

State = Literal["running", "finished", "stopped", "failed", "requeued"]


KEPT = ("started", "extended_from")  # what a status says of earlier starts


class RunDir:
    """One run's folder. Files are replaced whole, so a reader never sees half of one.

    Args:
        path: The folder; made on the first write.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.metrics = self.path / "metrics.csv"
        self.evaluations = self.path / "evaluations.csv"
        self.scores = self.path / "metrics.json"
        self.last = self.path / "checkpoints" / "last.ckpt"
        self.best = self.path / "checkpoints" / "best.ckpt"
        self.film = self.path / "film"
        self.traceback = self.path / "traceback.txt"  # of an error in somebody's own code
        self._status = self.path / "status.json"

    @property
    def figures(self) -> Path:
        """The folder of pictures, made on use."""
        folder = self.path / "figures"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def lock(self) -> AcquireReturnProxy:
        """Holds the run for this process; raises BlockingIOError if another process has it."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / ".lock")
        try:
            return lock.acquire(timeout=0)
        except Timeout:
            status = self.status()
            raise BlockingIOError(
                f"{self.path} is being run by process {status.get('pid')} on "
                f"{status.get('host')}. Wait for it, stop it, or name another run with --run."
            ) from None

    def write_text(self, file: Path, text: str) -> None:
        """Replaces `file` by `text` in one step."""
        files.write_text(file, text)

    def write_status(self, state: State, *, reason: str = "", **more: Any) -> None:
        """Says how the run stands. Keeps what earlier calls said of the start."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        status = self.read_json(self._status)
        if state == "running":
            if status.get("state") == "finished":  # it goes on beyond its end
                status["extended_from"] = status.get("step")
            status = {"started": now, **{k: v for k, v in status.items() if k in KEPT}}
        status.pop("finished", None)
        status |= {"state": state, "reason": reason, "updated": now, **more}
        status |= {"host": socket.gethostname(), "pid": os.getpid()}
        if state == "finished":
            status["finished"] = now
        self.write_text(self._status, json.dumps(status, indent=2) + "\n")

    def status(self) -> dict[str, Any]:
        """The last status, corrected: a run whose process is gone is not running but failed."""
        status = self.read_json(self._status)
        check_status(self._status, status)
        here = status.get("host") == socket.gethostname()
        if status.get("state") == "running" and here and "pid" in status:
            try:
                os.kill(status["pid"], 0)
            except ProcessLookupError:
                status["state"] = "failed"
                status["reason"] = f"process {status['pid']} ended without a word (killed?)"
            except PermissionError:
                pass  # alive, and another user's
        return status

    def append_row(self, file: Path, row: dict[str, float], *, widen: bool = False) -> None:
        """Adds one step to metrics.csv or evaluations.csv; the first row fixes the columns.

        With `widen`, columns may come and go: new ones are added to the file, whole or not at all,
        and cells without a value are empty.
        """
        new = not file.exists()
        file.parent.mkdir(parents=True, exist_ok=True)
        columns = list(row)
        if not new:
            with file.open(encoding="utf-8") as stream:
                columns = stream.readline().strip().split(",")
        if widen and not set(row) <= set(columns):
            columns = self._widen(file, columns, row)
        if set(row) != set(columns) and not widen:
            raise ValueError(
                f"{file} has the columns {columns}, but {list(row)} came. "
                "The file belongs to a run with other settings: name another run with --run."
            )
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow({name: f"{value:.7g}" for name, value in row.items()})
        with file.open("a", encoding="utf-8") as stream:
            stream.write(text.getvalue())

    def _widen(self, file: Path, columns: list[str], row: dict[str, float]) -> list[str]:
        """Gives the file the columns of the row that it lacks; returns all of them."""
        added = [name for name in row if name not in columns]
        header, *rows = read_text(file).splitlines()
        lines = [",".join([header, *added]), *(text + "," * len(added) for text in rows)]
        self.write_text(file, "\n".join(lines) + "\n")
        return columns + added

    def truncate(self, step: int) -> None:
        """Drops logged rows after `step`, and what a process that was killed wrote half of."""
        for left in self.last.parent.glob(".*.tmp"):  # checkpoints are large; a run has one writer
            left.unlink(missing_ok=True)
        for file in (self.metrics, self.evaluations):
            if not file.exists():
                continue
            header, *rows = read_text(file).splitlines(keepends=True) or [""]
            if not header.endswith("\n"):
                file.unlink()
                continue
            columns = header.strip().split(",")
            whole = [
                row for row in rows if row.endswith("\n") and row.count(",") + 1 == len(columns)
            ]
            try:
                at = columns.index("step")
                kept = [row for row in whole if float(row.split(",")[at]) <= step]
            except ValueError as error:
                raise ValueError(
                    f"{file} has no numbers of steps ({error}). It was changed: restore it, or "
                    "start the run anew with --again true."
                ) from None
            self.write_text(file, header + "".join(kept))

    def write_scores(self, scores: dict[str, Any]) -> None:
        """Replaces metrics.json. Numbers that are not finite are stored as null."""
        self.write_text(self.scores, record_text(scores))

    def read_scores(self) -> dict[str, Any]:
        """The evaluation in metrics.json, or {} if there is none; ValueError if it is none."""
        record = self.read_json(self.scores)
        check_scores(self.scores, record)
        return record

    def read_config(self) -> dict[str, Any]:
        """What config.yaml holds; ValueError if that is no config."""
        content = read_yaml(self.config)
        if not isinstance(content, dict):
            raise ValueError(
                f"{self.config} holds no config. It was not written by disent: move it away."
            )
        check_config(self.config, content)
        return content

    def read_json(self, file: Path) -> dict[str, Any]:
        """The object in a file, or {} if there is no file."""
        try:
            content = read_json(file)
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ValueError(f"{error}. It was not written by disent: move it away.") from None
        if not isinstance(content, dict):
            raise ValueError(f"{file} holds {type(content).__name__}, but an object is wanted.")
        return content


def record_text(record: dict[str, Any]) -> str:
    """A record as JSON; numbers that are not finite are null."""
    return json.dumps(_finite(record), indent=2, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
