# SPDX-License-Identifier: Apache-2.0
"""Encoder and decoder as programs that need no suite: torch.export and ONNX, each compared."""

import importlib.util
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from disent.export.parts import ordinary

TOLERANCE = 1e-5  # of a value, as a share of the largest one of its kind where that is above 1
Function = Callable[..., Sequence[Tensor]]


@dataclass(frozen=True)
class Part:
    """A function of tensors that is to become a program.

    Attributes:
        name: encoder or decoder.
        module: What computes it.
        inputs: By name, of at least 3 rows each.
        outputs: Names of what comes out.
    """

    name: str
    module: nn.Module
    inputs: dict[str, Tensor]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """How a program was made: how far it is from torch, or why there is none."""

    file: str
    away: float = 0.0
    why: str = ""


def write_programs(part: Part, folder: Path) -> list[Told]:
    """Writes NAME.pt2 and NAME.onnx, each only where it computes what torch does.

    Args:
        part: What is written.
        folder: Where to.
    Returns:
        Of each file, how far its values are from torch's at most, or why it is not kept.
    """
    told = []
    for suffix, write in ((".pt2", _write_torch), (".onnx", _write_onnx)):
        file = folder / f"{part.name}{suffix}"
        try:
            with _silently(), torch.no_grad():
                away = _compare(part, write(part, file))
        except Exception as error:  # exporters fail in as many ways as there are models
            file.unlink(missing_ok=True)
            told.append(Told(file.name, why=_one_line(error)))
        else:
            told.append(Told(file.name, away))
    return told


@contextmanager
def _silently() -> Iterator[None]:
    """Without what exporters say of themselves, by warnings and by loggers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _write_torch(part: Part, file: Path) -> Function:
    torch.export.save(_exported(part), file)
    return torch.export.load(file).module()


def _write_onnx(part: Part, file: Path) -> Function:
    for package in ("onnx", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise ValueError(f"{package} is not installed: pip install 'disent-suite[export]'.")
    torch.onnx.export(
        _exported(part),
        f=str(file),
        input_names=list(part.inputs),
        output_names=list(part.outputs),
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    return _onnx_function(part, file)


def _exported(part: Part) -> torch.export.ExportedProgram:
    """The program of a part, for any number of rows."""
    rows = torch.export.Dim("rows", min=1)
    shapes = {name: {0: rows} for name in part.inputs}
    return torch.export.export(
        ordinary(part.module), tuple(part.inputs.values()), dynamic_shapes=shapes, strict=False
    )


def _onnx_function(part: Part, file: Path) -> Function:
    """The file as a function: by ONNX Runtime, or, slowly, by the reference of ONNX itself."""
    if importlib.util.find_spec("onnxruntime") is not None:
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        session: Any = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    else:
        from onnx.reference import ReferenceEvaluator

        session = ReferenceEvaluator(str(file))

    def run(*given: Tensor) -> list[Tensor]:
        named = {n: t.numpy() for n, t in zip(part.inputs, given, strict=True)}
        return [torch.as_tensor(found) for found in session.run(None, named)]

    return run


def _compare(part: Part, function: Function) -> float:
    """How far a program's values are from torch's, over all rows and over one.

    Raises:
        ValueError: By more than the tolerance.
    """
    away = 0.0
    for rows in (None, 1):
        given = [tensor[:rows] for tensor in part.inputs.values()]
        wanted, found = part.module(*given), function(*given)
        for name, one, other in zip(part.outputs, wanted, found, strict=True):
            scale = max(1.0, float(one.abs().max()))
            here = float((one - other).abs().max()) / scale
            if not here <= TOLERANCE:
                raise ValueError(f"its {name} differs from torch's by {here:.2g} (> {TOLERANCE}).")
            away = max(away, here)
    return away


def _one_line(error: Exception) -> str:
    """The first line that an error says, which exporters follow by pages."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
