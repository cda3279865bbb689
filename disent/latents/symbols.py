# SPDX-License-Identifier: Apache-2.0
"""Pictures of a model of concepts: what symbols make it imagine, and what operators make of two."""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import torch
from jaxtyping import Int
from matplotlib.figure import Figure
from torch import Tensor

from disent import figures
from disent.data.base import PictureDataset
from disent.latents.concepts import Recombined, imagined, named, recombinations
from disent.streams import Stream

COLUMNS = 8  # pictures of a symbol
TRIES = 1000  # pictures looked at for a pair of symbols that was held out
TITLES = {"and": "AND", "in_common": "IN COMMON", "ignore": "IGNORE"}


def symbol_pictures(model: Any, dataset: PictureDataset, seed: int) -> dict[str, Figure]:
    """Two figures by file stem: pictures imagined of symbols, and of pairs that are recombined.

    Args:
        model: A SCAN, in eval mode.
        dataset: The one that it was trained on.
        seed: Of the symbols and noise drawn, and of the pictures that the scores below the figures
            are measured on.
    """
    skills = named(model, dataset, seed=seed)
    drawn = {"imagined": _imagined(model, dataset, seed, str(skills))}
    best = (skills.right - skills.chance).argsort(descending=True).tolist()
    if len(best) > 1 and (figure := _recombined(model, dataset, seed, skills.coded, best)):
        drawn["recombined"] = figure
    return drawn


def _imagined(model: Any, dataset: PictureDataset, seed: int, skills: str) -> Figure:
    """A row a symbol: one that says nothing, the first and last value of each factor, and all."""
    nothing = torch.full((len(model.concepts.sizes),), -1)
    symbols = [nothing]
    for k, size in enumerate(model.concepts.sizes):
        for value in (0, size - 1):
            symbols.append(nothing.clone())
            symbols[-1][k] = value
    row = Stream(seed, "a picture described").integers(0, len(dataset), 1)
    symbols.append(model.concepts.symbols(dataset.factors(row))[0])
    scores = imagined(model, dataset, seed=seed)
    values = ", ".join(
        f"{name} {size}" for name, size in zip(dataset.names, model.concepts.sizes, strict=True)
    )
    spread = ", ".join(
        f"{name} {value:.2f}"
        for name, value in zip(dataset.names, scores.spread.tolist(), strict=True)
    )
    return figures.image_grid(
        _draw(model, [model.concepts(symbol[None].to(model.device)) for symbol in symbols], seed),
        row_labels=[_words(symbol, dataset.names) for symbol in symbols],
        title="Imagined: what symbols say, and everything else as it comes",
        note=f"Random draws of q(z|y), decoded (seed {seed}); values in symbols: {values}. Share "
        f"of random pictures that are named rightly, with chance in brackets: {skills}. Share of "
        f"imagined pictures whose nearest real picture shows what one factor's symbol says: "
        f"{scores.shares}; the same of reconstructed pictures: {scores.reconstructed}. Evenness "
        f"of what is shown where nothing is said, 0 to 1: {spread}.",
    )


def _recombined(
    model: Any, dataset: PictureDataset, seed: int, coded: list[int], best: list[int]
) -> Figure | None:
    """Three rows an operator: two symbols that it was not trained on together, and its result."""
    scores = recombinations(model, dataset, coded, seed=seed)
    rows = Stream(seed, "pictures to recombine").integers(0, len(dataset), TRIES)
    known = model.concepts.symbols(dataset.factors(rows)).to(model.device)
    concepts, labels = [], []
    for name in scores:
        if (pair := _pair(model, name, known, best)) is None:
            continue
        first, second = pair
        concepts += [model.concepts(first), model.concepts(second)]
        concepts.append(model.recombination(name, first, second))
        words = [_words(symbol[0], dataset.names) for symbol in (first, second)]
        labels += [words[0], words[1], TITLES[name]]
    if not concepts:
        return None
    told = _told(scores, [dataset.names[k] for k in coded])
    return figures.image_grid(
        _draw(model, concepts, seed),
        row_labels=labels,
        group=3,
        title="Recombined: two symbols, and what an operator makes of their concepts",
        note=f"Pairs that no operator was trained on (seed {seed}). Over such pairs, KL of the "
        f"result from the concept of the symbol that it should be: {told}",
    )


def _told(scores: Mapping[str, Recombined], names: list[str]) -> str:
    """The scores of operators in words; `names` are those of the factors that are read."""
    missed = ", ".join(
        f"{TITLES[name]} {score.divergence:.2f} nats (the first symbol's concept: "
        f"{score.of_first:.2f})"
        for name, score in scores.items()
    )
    said = "No factor is named well enough to read results by."
    if names:
        said = "Share that says what it should, and nothing else, of " + ", ".join(names)
        said += ": " + ", ".join(f"{TITLES[name]} {s.right:.0%}" for name, s in scores.items())
        best = ", ".join(f"{score.best:.0%}" for score in scores.values())
        said += f"; of the concepts of the symbols that they should be: {best}."
    return f"{missed}. {said}"


def _pair(
    model: Any, operator: str, known: Int[Tensor, "n k"], best: list[int]
) -> tuple[Int[Tensor, "1 k"], Int[Tensor, "1 k"]] | None:
    """The first pair of simple symbols that was held out, of factors named as well as may be."""
    for one, two, *third in permutations(best, min(len(best), 3)):
        said = {"and": ([one], [two]), "ignore": ([one, two], [two])}
        said["in_common"] = ([one, two], [two, *third])
        pair = torch.full_like(known, -1), torch.full_like(known, -1)
        for symbols, columns in zip(pair, said[operator], strict=True):
            symbols[:, columns] = known[:, columns]
        places = model.held_out(*pair).nonzero()
        if len(places):
            return pair[0][places[0]], pair[1][places[0]]
    return None


def _draw(model: Any, concepts: list[Any], seed: int) -> Tensor:
    """COLUMNS pictures of each concept, of the same noise in every row."""
    noise = Stream(seed, "noise of concepts").normal(0, (COLUMNS, model.latent_dim))
    noise = noise.to(model.device)
    return torch.stack([model.picture(concept.sample(noise)) for concept in concepts])


def _words(symbol: Int[Tensor, "k"], names: tuple[str, ...]) -> str:
    """What a symbol says, a line for every two factors."""
    said = [f"{n} {v}" for n, v in zip(names, symbol.tolist(), strict=True) if v >= 0]
    lines = [", ".join(said[i : i + 2]) for i in range(0, len(said), 2)]
    return "\n".join(lines) or "nothing said"
