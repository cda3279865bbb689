# SPDX-License-Identifier: Apache-2.0
"""Checkpoints, and the weights and description of an export."""

import functools
import io
import json
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch

from disent.export.folder import load_export
from disent.runs import Run
from disent.training.initial import start_from
from tests.export.runs import LINEAR, write_run
from tests.faults import documents
from tests.faults.damage import ANY, TEXT
from tests.faults.documents import MARKER
from tests.faults.kinds import Kind
from tests.faults.of_runs import MODEL, document


class Order:
    """What a pickle may do to those who load it."""

    def __reduce__(self) -> Any:
        return Path.touch, (MARKER,)


# checkpoints


def _write_checkpoint(folder: Path) -> Path:
    return write_run(folder, "BetaVAE", network=LINEAR, latent_dim=2).directory.last


@functools.cache
def _model() -> Any:
    from disent.runs.build import make

    return make({"model": MODEL}, "model")


class _Built(Run):
    """A run whose model is not made anew each time."""

    def untrained(self) -> Any:
        return _model()


def _at(file: Path) -> Path:
    return file.parent.parent


CHECKPOINT_READERS = (
    lambda file: _Built.load(_at(file)).model(),
    lambda file: Run.load(_at(file)).step(),
    lambda file: start_from(_model(), str(_at(file))),
)


def _pickled_order(file: Path) -> None:
    file.write_bytes(pickle.dumps({"state_dict": Order(), "global_step": 1}))


def _order_in_an_archive(file: Path) -> None:
    torch.save({"state_dict": {"a": Order()}, "global_step": 1}, file)


def _other_contents(content: Any) -> Any:
    def write(file: Path) -> None:
        torch.save(content, file)

    write.__name__ = f"holds {str(content)[:30]}"
    return write


def _bomb_of_tensors(file: Path) -> None:
    """A sound archive whose tensor unpacks into many zeros."""
    plain = io.BytesIO()
    torch.save({"state_dict": {"a": torch.zeros(4)}, "global_step": 1}, plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            if entry.endswith("data/0"):
                with new.open(entry, "w", force_zip64=True) as member:
                    for _ in range(64):
                        member.write(bytes(2**20))
            else:
                new.writestr(entry, old.read(entry))


def _claims_much(file: Path) -> None:
    """A view of a billion billion numbers on a small storage."""
    torch.save({"state_dict": {"a": torch.zeros(1).expand(2**60)}, "global_step": 1}, file)


ODD = (
    3, [], "x", None, {}, {"state_dict": 3, "global_step": 1},
    {"state_dict": None, "global_step": []},
    {"state_dict": {}, "global_step": "x"}, {"state_dict": {"a": 3}, "global_step": 1},
    {"state_dict": {1: torch.zeros(1)}, "global_step": torch.zeros(2)},
    {"state_dict": {"a": torch.zeros(2)}, "global_step": float("inf")},
    {"state_dict": OrderedDict(), "global_step": 2**80}, torch.zeros(3), {"global_step": None},
)  # fmt: skip

# an export: weights.safetensors and model.json


def _write_export(folder: Path) -> Path:
    from safetensors.torch import save_file

    save_file(_model().state_dict(), folder / "weights.safetensors")
    (folder / "model.json").write_text(json.dumps(EXPORT))
    return folder / "weights.safetensors"


EXPORT = {"format": 1, "model": MODEL, "weights": "weights.safetensors", "step": 3, "latent_dim": 2}


def _write_described(folder: Path) -> Path:
    _write_export(folder)
    return folder / "model.json"


def _popen_described(file: Path) -> None:
    call = {"class_path": "subprocess.Popen", "init_args": {"args": ["touch", str(MARKER)]}}
    file.write_text(json.dumps({**EXPORT, "model": call}))


KINDS = (
    Kind("checkpoint", _write_checkpoint, CHECKPOINT_READERS, ANY,
         (_pickled_order, _order_in_an_archive, _bomb_of_tensors, _claims_much,
          *map(_other_contents, ODD))),
    Kind("safetensors", _write_export, (lambda file: load_export(file.parent),), ANY, share=0.5),
    Kind("model.json", _write_described, (lambda file: load_export(file.parent),),
         (*TEXT, *[document(documents.as_json, EXPORT)] * 12), (_popen_described,), share=0.5),
)  # fmt: skip
