# SPDX-License-Identifier: Apache-2.0
"""What is somebody's own takes a batch before a run is begun: what it gives must fit."""

import copy
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from disent.data.datamodule import FactorDataModule
from disent.likelihoods.base import Likelihood
from disent.models.base import Model
from disent.models.batches import as_batch
from disent.models.hooks import steps_in_its_own_way
from disent.models.vae import VAE
from disent.networks.base import Network
from disent.objectives.base import Objective
from disent.runs.own_code import is_own, place_of, what

Check = Callable[[Any, int], str]  # what is wrong with what a method gave of so many rows, if any


class UnfitError(ValueError):
    """An own class gives what no training can use."""


def rehearse(model: Model, loader: FactorDataModule) -> None:
    """Computes the losses and the pictures of a batch, where own classes take part in them.

    A copy of the model is asked, on the CPU: neither its weights nor any random numbers are used
    up. What cannot be copied, or works on a GPU alone, is not rehearsed, nor is a model that steps
    in its own way.

    Raises:
        UnfitError: An own class gave something of another shape or type than is wanted of it, or
            what is not finite, or the suite's own code cannot go on with it; in one line.
    """
    own = [part for part in model.modules() if _file_of(part) is not None]
    its_own = steps_in_its_own_way(type(model), Model) or type(model).forward is not Model.forward
    if not own or its_own:
        return
    try:
        model = copy.deepcopy(model)
    except (RuntimeError, TypeError, AttributeError, ValueError):
        return
    for part in model.modules():
        if _file_of(part) is not None:
            for method, check in _wanted_of(part, model):
                _watch(part, method, check)
    with torch.random.fork_rng(devices=[]):
        try:
            _take(model, loader)
        except NotImplementedError:  # a model may draw nothing
            return
        except (RuntimeError, TypeError, AttributeError, LookupError) as error:
            if "'CPU'" in str(error):  # not implemented there
                return
            if place_of(error) is not None:
                raise
            names = ", ".join(dict.fromkeys(_name(part) for part in own))
            raise UnfitError(
                f"a first step with {names} fails: {what(error)}. DISENT_TRACEBACK=1 before the "
                "command shows where."
            ) from error


def _take(model: Model, loader: FactorDataModule) -> None:
    """Every loss of one step, and the pictures of the codes."""
    batch = as_batch(next(iter(loader.loader_for(model))))
    noise = model.noise.normal(0, (len(batch.x), sum(model.draws().values())))
    for update in model.updates:
        model(batch, noise, 0, update.loss)
    held = model.given(batch.factors)
    held.picture(held.encode(batch.x).mean)


def _wanted_of(part: nn.Module, model: Model) -> Iterator[tuple[str, Check]]:
    """The methods of an own part that are looked at, and what is wanted of each."""
    if isinstance(part, Objective):
        yield "forward", _scalar
        yield "tell", _named_tensors
        yield "schedule", _named_numbers
    elif isinstance(part, Likelihood):
        yield "log_prob", lambda made, rows: _shaped(made, [rows], "nats of each picture")
        yield "mean", lambda made, rows: _pictures(made, rows, model)
    elif isinstance(part, Model):
        for update in part.updates:
            if hasattr(part, update.loss):
                yield update.loss, _loss_and_told
        yield "picture", lambda made, rows: _pictures(made, rows, model)
    elif isinstance(part, Network):
        yield "encode", lambda made, rows: _posterior(made, rows, model)
        yield "decode", lambda made, rows: _parameters(made, rows, model)


def _watch(part: nn.Module, method: str, check: Check) -> None:
    """Lets a method of this part be checked at every call."""
    original, name = getattr(part, method), _name(part, method)

    def watched(*given: Any, **named: Any) -> Any:
        tensors = [each for each in (*given, *named.values()) if isinstance(each, Tensor)]
        try:
            made = original(*given, **named)
        except UnfitError:  # of a part inside
            raise
        except (RuntimeError, TypeError, ValueError, LookupError) as error:
            if place_of(error) is not None:
                raise
            if "'CPU'" in str(error):
                raise
            shapes = ", ".join(str(list(each.shape)) for each in tensors)
            raise UnfitError(f"{name} fails on {shapes or 'its terms'}: {what(error)}.") from error
        if wrong := check(made, len(tensors[0]) if tensors and tensors[0].ndim else 0):
            raise UnfitError(f"{name} gave {wrong}")
        return made

    setattr(part, method, watched)


def _scalar(made: Any, rows: int) -> str:
    wrong = _shaped(made, [], "one number for the batch, its mean over pictures")
    return wrong or ("" if made.requires_grad else "a number that depends on no weight: of the "
                     "terms that it is given, keep the tensors as they are.")  # fmt: skip


def _loss_and_told(made: Any, rows: int) -> str:
    if not isinstance(made, tuple) or len(made) != 2:
        return f"{_described(made)}, but a pair is wanted: the loss, and a dictionary to log."
    return _scalar(made[0], rows) or _named_tensors(made[1], rows)


def _named_tensors(made: Any, rows: int) -> str:
    values = made.values() if isinstance(made, dict) else [made]
    wrong = [value for value in values if not isinstance(value, Tensor)]
    said = f"{_described(wrong[0])}, but tensors by name are wanted: " if wrong else ""
    return said and f"{said}{{'name': tensor}}, nothing to log being {{}}."


def _named_numbers(made: Any, rows: int) -> str:
    values = made.values() if isinstance(made, dict) else [made]
    wrong = [v for v in values if not isinstance(v, Tensor | int | float) or _size(v) != 1]
    return f"{_described(wrong[0])}, but numbers by name are wanted." if wrong else ""


def _posterior(made: Any, pictures: int, model: Model) -> str:
    mean = getattr(made, "mean", None)
    if not isinstance(mean, Tensor):
        return f"{_described(made)}, but a posterior is wanted, as DiagonalGaussian(mean, logvar)."
    if type(model).encode is not VAE.encode:  # the network's numbers are of that model's own use
        return ""
    for name, value in zip(getattr(made, "_fields", ()), made, strict=False):
        wrong = _shaped(value, [pictures, model.latent_dim], f"its {name}, one for each latent")
        if wrong:
            return wrong
    return ""


def _parameters(made: Any, pictures: int, model: Any) -> str:
    if not hasattr(model, "likelihood") or not hasattr(model, "channels"):
        return ""
    shape = [pictures, model.likelihood.outputs * model.channels, *model.size]
    return _shaped(made, shape, "the likelihood's parameters of each pixel")


def _pictures(made: Any, pictures: int, model: Any) -> str:
    shape = [pictures, getattr(model, "channels", None), *getattr(model, "size", (None, None))]
    return "" if None in shape else _shaped(made, shape, "pictures in [0, 1]")


def _shaped(made: Any, shape: list[int], words: str) -> str:
    """What is wrong with a tensor that is wanted to be of this shape, and finite."""
    wanted = f"but {shape} of float32 is wanted: {words}." if shape else f"but {words} is wanted."
    if not isinstance(made, Tensor) or not made.is_floating_point() or list(made.shape) != shape:
        return f"{_described(made)}, {wanted}"
    if bool(made.isfinite().all()):
        return ""
    bad = made.detach()[~made.isfinite()].flatten()[0].item()
    return (
        f"{bad} for the first pictures, before anything was trained: look for the logarithm, root "
        "or quotient of 0 in it."
    )


def _described(made: Any) -> str:
    if not isinstance(made, Tensor):
        return f"{type(made).__name__}"
    return f"{list(made.shape)} of {str(made.dtype).removeprefix('torch.')}"


def _size(value: Any) -> int:
    return value.numel() if isinstance(value, Tensor) else 1


def _name(part: nn.Module, method: str = "") -> str:
    """The class of an own part, or a method of it, with its file."""
    file, name = _file_of(part), type(part).__name__ + (method and f".{method}")
    return f"{name} ({file.name})" if file else name


def _file_of(part: nn.Module) -> Path | None:
    """The file of the class of a part that is somebody's own; None for all others."""
    try:
        file = Path(inspect.getfile(type(part)))
    except (TypeError, OSError):  # made in a session, or by torch itself
        return None
    return file if is_own(file) else None
