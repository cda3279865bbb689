# SPDX-License-Identifier: Apache-2.0
"""A synthetic study: run folders of the usual files and sizes, with made-up numbers."""

import json
import random
from pathlib import Path
from typing import Any

import yaml

from disent.runs import RunDir

STRENGTHS = [("BetaVAE", "beta", b) for b in (1.0, 2.0, 4.0, 6.0, 8.0, 16.0)] + [
    ("AnnealedVAE", "capacity", c) for c in (5.0, 10.0, 25.0, 50.0, 75.0, 100.0)
]
SCORES = ("mig", "beta_vae_score", "factor_vae_score", "dci.disentanglement", "dci.completeness")
SCORES += ("dci.informativeness", "sap", "modularity", "explicitness", "active_units")
FACTORS = ("shape", "scale", "orientation", "pos_x", "pos_y")
LATENTS, LOGGED = 10, 100
TRAINER = {f"option_{i}": None for i in range(24)} | {"max_steps": 300_000, "devices": 1}


def write_run(
    root: Path, number: int, *, seed: int = 0, state: str = "finished", logged: int = LOGGED
) -> RunDir:
    """Run `number` of the study, in `root`; scores depend on its strength and its seed."""
    model, knob, strength = STRENGTHS[number % len(STRENGTHS)]
    draw = random.Random(f"{number} {seed}")
    run = RunDir(root / f"study-{number:05d}")
    settings = {knob: strength, "latent_dim": LATENTS, "lr": 1e-4, "seed": number // 12}
    section = {"class_path": f"disent.models.{model}", "init_args": settings}
    run.write_text(run.config, yaml.safe_dump(_config(number // 12, section)))
    run.write_text(run.path / "status.json", json.dumps({"state": state, "reason": ""}))
    run.write_text(run.metrics, _steps(draw, strength, logged, knob == "capacity"))
    run.write_scores(_scores(draw, strength))
    return run


def _config(seed: int, model: dict[str, Any]) -> dict[str, Any]:
    return {
        "seed_everything": seed,
        "trainer": TRAINER,
        "model": model,
        "data": {"class_path": "disent.data.DSprites", "init_args": {"path": None}},
        "loader": {"batch_size": 64, "sampling": "iid", "held_out": None},
        "evaluate": {"metrics": ["mig", "beta_vae_score"], "codes": "mean"},
        "provenance": {"disent": "0.1.0", "command": ["disent", "fit"], "python": "3.11.7"},
    }


def _steps(draw: random.Random, strength: float, logged: int, annealed: bool) -> str:
    names = ["step", "loss", "distortion", "rate", "elbo", *["capacity"] * annealed]
    names += [f"rate_{z}" for z in range(LATENTS)]
    lines = [",".join(names)]
    for step in range(logged):
        rate = [(step + 1) / logged * draw.random() * 3 for _ in range(LATENTS)]
        terms = [90.0, 80.0, sum(rate), -80.0 - sum(rate)]
        terms += [strength * (step + 1) / logged] * annealed
        lines.append(",".join(f"{v:.7g}" for v in [(step + 1) * 3000, *terms, *rate]))
    return "\n".join(lines) + "\n"


def _scores(draw: random.Random, strength: float) -> dict[str, Any]:
    beside = {"spread": None, "chance": 0.01, "untrained": 0.02, "pca": 0.03, "seed": 0}
    beside |= {"codes": "posterior means, float32", "points": 737_280}
    scores = {
        name: {"value": draw.gauss(0.1 + 0.01 * strength, 0.05), "variant": name, **beside}
        for name in SCORES
    }
    matrix = [[draw.random() for _ in range(LATENTS)] for _ in FACTORS]
    terms = {"rate": 20.0, "distortion": 70.0 + draw.random(), "total": 90.0, "entropy": 13.47}
    return {
        "step": 300_000,
        "fingerprint": "synthetic",
        "points": 737_280,
        "scores": scores,
        "rates": [2.0 * draw.random() for _ in range(LATENTS)],
        "factor_entropy": [1.1, 1.8, 3.7, 3.5, 3.5],
        "information": matrix,
        "factors": {name: {"linear_r2": 0.5} for name in FACTORS},
        "rate_distortion": {**terms, "mutual_information": 12.0},
    }
