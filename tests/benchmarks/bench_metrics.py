# SPDX-License-Identifier: Apache-2.0
"""Seconds of each score from a table of codes of full dSprites (737,280 x 10).

Run: python -m tests.benchmarks metrics, or python -m tests.benchmarks.bench_metrics [name ...]
"""

import sys
import time
from collections.abc import Sequence

import torch

from disent import metrics
from disent.grid import FactorGrid
from disent.metrics.base import numbers, settings, wants

DSPRITES = FactorGrid(("shape", "scale", "orientation", "pos_x", "pos_y"), (3, 6, 40, 32, 32))


def codes_of_dsprites(device: str = "cpu") -> torch.Tensor:
    """Codes as a trained encoder's: factors mixed, with noise; float32."""
    generator = torch.Generator().manual_seed(0)
    factors = DSPRITES.all_factors() / torch.tensor(DSPRITES.sizes)
    codes = factors @ torch.randn(5, 10, generator=generator)
    return (codes + 0.3 * torch.randn(codes.shape, generator=generator)).to(device)


def rows(
    names: Sequence[str] = tuple(metrics.__all__), device: str = "cpu", repeats: int = 2
) -> list[tuple[str, str, str]]:
    """(score, seconds, settings and value) of each name; the fastest of `repeats` runs."""
    codes, generator = codes_of_dsprites(device), torch.Generator().manual_seed(1)
    runs = codes[torch.randint(len(codes), (10_000,), generator=generator)]
    given = {
        "codes": codes,
        "factors": DSPRITES.all_factors().to(device),
        "grid": DSPRITES,
        "means": codes,
        # a few latents broad, the others narrow, as encoders leave them
        "logvars": (torch.randn(codes.shape, generator=generator) * 0.8 - 3).to(device),
        "codes_of_runs": torch.stack([runs, -runs.flip(1)]),
        "rates_of_runs": torch.ones(2, 10, device=device),
        "log_weights": codes,
    }
    table = []
    for name in names:
        score, seconds, value = getattr(metrics, name), [], {}
        for _ in range(repeats):
            start = time.perf_counter()
            result = score(*(given[want] for want in wants(score)))
            seconds.append(time.perf_counter() - start)
            value = {name: float(result.mean())} if name == "udr" else numbers(name, result)
        stated = ", ".join(f"{key}={default}" for key, default in settings(score).items())
        said = ", ".join(f"{part.rpartition('.')[2]} {v:.4f}" for part, v in value.items())
        table.append((name, f"{min(seconds):.3f} s", f"{said}; {stated}"))
    return table


if __name__ == "__main__":
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"torch {torch.__version__}, {device}, {torch.get_num_threads()} threads")
    for name, seconds, note in rows(sys.argv[1:] or list(metrics.__all__), device):
        print(f"{name:32s} {seconds:>10s}   {note}")
