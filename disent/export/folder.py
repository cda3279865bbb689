# SPDX-License-Identifier: Apache-2.0
"""The folder of an exported run: written whole, or not at all."""

import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

import disent
from disent.data.base import PictureDataset
from disent.documents import read_json
from disent.export.card import card_of
from disent.export.parts import Decoder, Encoder, codes_of
from disent.export.programs import Part, Told, write_programs
from disent.export.seeds import check_seeds
from disent.files import expanded
from disent.runs.build import make_part
from disent.runs.run import Run
from disent.shipped import zoo_run
from disent.streams import Stream

WEIGHTS, MODEL, CARD = "weights.safetensors", "model.json", "MODEL_CARD.md"
ROWS = 8  # pictures with which programs are compared


def export_run(
    path: str | os.PathLike[str],
    to: str | os.PathLike[str] | None = None,
    *,
    best: bool = False,
    licence: str | None = None,
    seeds: Sequence[str | os.PathLike[str]] = (),
) -> tuple[Path, list[Told]]:
    """Writes a trained run for others to use; what cannot be written is told, the rest is.

    Args:
        path: The run's folder.
        to: A new folder; None: RUN/export.
        best: Take best.ckpt instead of last.ckpt.
        licence: Of the weights, for the card; None: it says that none was chosen.
        seeds: Runs of the same setting and other seeds, whose scores the card tells, too.
    Returns:
        The folder, and how each program was made.
    Raises:
        FileExistsError: The folder is there already.
        OSError, ValueError: The run, its model or its data cannot be loaded, or a run of `seeds` is
            of another setting.
    """
    run, others = Run.load(path), [Run.load(each) for each in seeds]
    check_seeds(run, others)
    place = expanded(to) if to is not None else _folder_of(path, run)
    if place.exists():
        raise FileExistsError(
            f"{place} is there already, and is not overwritten. Name another with --to, or move "
            "it away."
        )
    model, dataset = run.model(best=best), run.dataset()
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{uuid.uuid4().hex}.tmp")
    temporary.mkdir()
    try:
        _write_model(run, model, dataset, temporary, run.step(best=best))
        told = [
            line for part in parts_of(model, dataset) for line in write_programs(part, temporary)
        ]
        _note_programs(temporary, told)
        for picture in [*run.directory.path.glob("figures/*.png"), *run.path.glob("figures/*.gif")]:
            (temporary / "figures").mkdir(exist_ok=True)
            shutil.copy2(picture, temporary / "figures")
        card = card_of(run, dataset.fingerprint, temporary, licence, others)
        (temporary / CARD).write_text(card, encoding="utf-8")
        os.rename(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return place, told


def load_export(folder: str | os.PathLike[str]) -> Any:
    """The model of an exported run, in eval mode, on the CPU.

    Raises:
        FileNotFoundError: The folder is no export.
        ValueError: Its model cannot be made, or has other weights.
    """
    place = expanded(folder)
    if not (place / MODEL).is_file():
        raise FileNotFoundError(
            f"{place} has no {MODEL}, so it is no export. Give a folder that `disent export` made."
        )
    described = read_json(place / MODEL)
    if not isinstance(described, dict) or "model" not in described:
        raise ValueError(f"{place / MODEL} describes no model. Take the export again.")
    model = make_part(described, "model")
    try:
        model.load_state_dict(load_file(place / WEIGHTS))
    except (RuntimeError, SafetensorError) as error:
        told = " ".join(str(error).split())
        raise ValueError(f"{place}: the weights do not fit {MODEL}: {told}") from None
    return model.eval()


def _folder_of(path: str | os.PathLike[str], run: Run) -> Path:
    """Inside the run; of one of the zoo, which is not written to, in the working folder."""
    return run.path / "export" if zoo_run(path) is None else Path(f"{run.path.parent.name}-export")


def parts_of(model: Any, dataset: PictureDataset) -> list[Part]:
    """Encoder and decoder of a model, with inputs to compare them by: pictures and their codes."""
    index = torch.linspace(0, len(dataset) - 1, ROWS).long()
    x = dataset.batch(index)
    told: dict[str, torch.Tensor] = {}
    if model.conditions:
        factors = dataset.factors(index)
        assert factors is not None, "a model with conditions was trained on factors"
        told["factors"] = factors
    with torch.no_grad():
        codes = codes_of(model.given(told.get("factors")).encode(x))
    z = codes["mean"] + 0.5 * Stream(0, "export").normal(0, tuple(codes["mean"].shape))
    return [
        Part("encoder", Encoder(model), {"x": x, **told}, tuple(codes)),
        Part("decoder", Decoder(model), {"z": z, **told}, ("parameters", "pictures")),
    ]


def _write_model(run: Run, model: Any, dataset: PictureDataset, folder: Path, step: int) -> None:
    """Weights, and how to build what they belong to; read back and compared bit for bit."""
    weights = {n: t.detach().contiguous().clone() for n, t in model.state_dict().items()}
    (folder / WEIGHTS).write_bytes(save(weights))
    described: Mapping[str, Any] = {
        "format": 1,
        "disent": disent.__version__,
        "model": run.config["model"],
        "weights": WEIGHTS,
        "step": step,
        "latent_dim": model.latent_dim,
        "pictures": {"shape": [dataset.channels, *dataset.size], "range": [0.0, 1.0]},
        "factors": list(dataset.names),
        "conditions": list(model.conditions),
        "data": dataset.fingerprint,
    }
    (folder / MODEL).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    again = load_export(folder).state_dict()
    assert all(torch.equal(again[name], weights[name]) for name in weights)


def _note_programs(folder: Path, told: list[Told]) -> None:
    """Adds to model.json which programs there are, and why the others are not."""
    described = json.loads((folder / MODEL).read_text(encoding="utf-8"))
    described["programs"] = {t.file: {"largest_difference": t.away} for t in told if not t.why}
    described["left_out"] = {t.file: t.why for t in told if t.why}
    (folder / MODEL).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
