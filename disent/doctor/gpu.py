# SPDX-License-Identifier: Apache-2.0
"""What a GPU alone can show: captured steps, fleets, pictures that stay on it, scores, speed."""

import time
from collections.abc import Callable

import torch
from torch import Tensor

from disent.data.base import Batch, FactorDataset
from disent.data.dsprites import DSprites
from disent.doctor.findings import Finding, State
from disent.fleet import Stack
from disent.metrics import mig
from disent.models import BetaVAE
from disent.models.base import Model, take_step
from disent.training.captured import CapturedStep

STEPS, BATCH = 20, 64
NEAR = 1e-3  # relative distance of losses after STEPS steps in float32, by other kernels
Step = Callable[[int], Tensor]


def check_gpu(dataset: FactorDataset | None = None) -> list[Finding]:
    """A few seconds on the GPU, and the compilation of a step; one note where there is none.

    Args:
        dataset: Whose pictures are taken; None: dSprites, which is rendered where it must be.
    """
    if not torch.cuda.is_available():
        return [Finding("on a GPU", "note", "there is none here, so nothing of it was looked at")]
    dataset, device = DSprites() if dataset is None else dataset, torch.device("cuda")
    checks = {
        "captured step": _captured,
        "fleet": _fleet,
        "pictures on it": _residence,
        "scores on it": _scores,
    }
    found = []
    for what, check in checks.items():
        try:
            found.append(check(dataset, device))
        except Exception as error:  # whatever breaks on a GPU is what was asked for
            line = str(error).strip().splitlines() or [""]
            found.append(Finding(what, "problem", f"{type(error).__name__}: {line[0]}"))
    return found


def _captured(dataset: FactorDataset, device: torch.device) -> Finding:
    """The step as a CUDA graph against the plain one: losses, and steps a second."""
    plain, captured = (_model(seed=0).to(device) for _ in range(2))
    batches = [_batch(dataset, step, device) for step in range(STEPS)]
    optimizers = plain.configure_optimizers()
    graph_optimizers = captured.configure_optimizers()
    for group in [group for each in graph_optimizers for group in each.param_groups]:
        group["capturable"] = True
    graph = CapturedStep(captured, graph_optimizers)

    def by_step(i: int) -> Tensor:
        batch, noise = batches[i % STEPS]
        return take_step(plain, optimizers, batch, noise, i)[0]

    def by_graph(i: int) -> Tensor:
        batch, noise = batches[i % STEPS]
        return graph(batch, noise, i)[0]

    losses = [torch.stack([step(i).detach().clone() for i in range(STEPS)])
              for step in (by_step, by_graph)]  # fmt: skip
    away = _distance(*losses)
    speeds = [_speed(step) for step in (by_step, by_graph)]
    told = f"losses {away:.1e} from those of plain steps; {speeds[1]:,.0f} steps a second, plain "
    return Finding("captured step", _judged(away), f"{told}{speeds[0]:,.0f}")


def _fleet(dataset: FactorDataset, device: torch.device) -> Finding:
    """Three members that share kernels against the same three alone."""
    alone, members = ([_model(seed).to(device) for seed in range(3)] for _ in range(2))
    stack = Stack(members, batched=True).to(device)
    optimizers = stack.configure_optimizers()
    own = [model.configure_optimizers() for model in alone]
    losses: list[list[Tensor]] = [[], []]
    for step in range(STEPS):
        given = [_batch(dataset, 3 * step + i, device) for i in range(3)]
        batch = Batch(torch.stack([each.x for each, _ in given]))
        told = stack.take(optimizers, batch, torch.stack([noise for _, noise in given]), step)
        losses[0] += [each["loss"].detach().mean() for each in told]
        for model, optimizer, (one, noise) in zip(alone, own, given, strict=True):
            losses[1].append(take_step(model, optimizer, one, noise, step)[0].detach())
    away = _distance(*(torch.stack(each) for each in losses))
    return Finding("fleet", _judged(away), f"3 members: losses {away:.1e} from those of runs alone")


def _residence(dataset: FactorDataset, device: torch.device) -> Finding:
    """Pictures gathered on the GPU are those of main memory."""
    index = torch.linspace(0, len(dataset) - 1, 1000).long()
    wanted = dataset.images(index)
    before = torch.cuda.memory_allocated()
    dataset.to(device)
    held = torch.cuda.memory_allocated() - before
    same = torch.equal(dataset.images(index.to(device)).cpu(), wanted)
    told = f"{len(dataset):,} take {held / 2**20:,.0f} MiB there"
    if not same:
        return Finding("pictures on it", "problem", f"{told}, and differ from those on disk")
    return Finding("pictures on it", "ok", f"{told}, and are those on disk")


def _scores(dataset: FactorDataset, device: torch.device) -> Finding:
    """A score of the codes that the GPU gives against the processor's."""
    model, values = _model(seed=0).eval(), []
    index = torch.linspace(0, len(dataset) - 1, min(len(dataset), 20_000)).long()
    for place in (torch.device("cpu"), device):
        encoder, codes = model.to(place), []
        with torch.no_grad():
            for part in index.split(500):
                codes.append(encoder.encode(dataset.batch(part.to(place))).mean)
        values.append(float(mig(torch.cat(codes), dataset.grid.factors(index).to(place))))
    away = abs(values[0] - values[1])
    told = f"MIG {values[1]:.4f}, on the processor {values[0]:.4f}"
    return Finding("scores on it", "ok" if away <= NEAR else "problem", told)


def _model(seed: int) -> Model:
    return BetaVAE(beta=4.0, seed=seed)


def _batch(dataset: FactorDataset, number: int, device: torch.device) -> tuple[Batch, Tensor]:
    """Pictures on the device, and their noise."""
    index = torch.arange(BATCH).mul(7919).add(104_729 * number) % len(dataset)
    noise = torch.randn(BATCH, 10, generator=torch.Generator().manual_seed(number))
    return Batch(dataset.batch(index).to(device)), noise.to(device)


def _speed(step: Step) -> float:
    """Steps a second, over a second."""
    torch.cuda.synchronize()
    start, taken = time.perf_counter(), 0
    while time.perf_counter() - start < 1.0:
        for i in range(STEPS):
            step(i)
        torch.cuda.synchronize()
        taken += STEPS
    return taken / (time.perf_counter() - start)


def _distance(one: Tensor, other: Tensor) -> float:
    return float(((one - other).abs() / one.abs().clamp(min=1)).max())


def _judged(away: float) -> State:
    return "ok" if away <= NEAR else "problem"
