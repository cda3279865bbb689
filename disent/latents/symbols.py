# SPDX-License-Identifier: Apache-2.0
"""Pictures of a model of concepts: what symbols make it imagine, and what operators make of two."""

from typing import Any

import torch
from jaxtyping import Int
from matplotlib.figure import Figure
from torch import Tensor

from disent import figures
from disent.data.base import PictureDataset
from disent.latents.concepts import imagined, named, recombinations
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
    if len(best) > 1:
        drawn["recombined"] = _recombined(model, dataset, seed, skills.coded, best)
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
    spread = ", ".join(
        f"{name} {value:.2f}"
        for name, value in zip(dataset.names, scores.spread.tolist(), strict=True)
    )
    return figures.image_grid(
        _draw(model, [model.concepts(symbol[None].to(model.device)) for symbol in symbols], seed),
        row_labels=[_words(symbol, dataset.names) for symbol in symbols],
        title="Imagined: what symbols say, and everything else as it comes",
        note=f"Random draws of q(z|y), decoded (seed {seed}). Share of random pictures that are "
        f"named rightly, with chance in brackets: {skills}. Share of imagined pictures whose "
        f"nearest real picture shows what one factor's symbol says: {scores.shares}; the same of "
        f"reconstructed pictures: {scores.reconstructed}. Evenness of what is shown where nothing "
        f"is said, 0 to 1: {spread}.",
    )


def _recombined(
    model: Any, dataset: PictureDataset, seed: int, coded: list[int], best: list[int]
) -> Figure:
    """Three rows an operator: two symbols that it was not trained on together, and its result."""
    scores = recombinations(model, dataset, coded, seed=seed)
    rows = Stream(seed, "pictures to recombine").integers(0, len(dataset), TRIES)
    known = model.concepts.symbols(dataset.factors(rows)).to(model.device)
    concepts, labels = [], []
    for name in scores:
        first, second = _pair(model, name, known, best)
        concepts += [model.concepts(first), model.concepts(second)]
        concepts.append(model.recombination(name, first, second))
        words = [_words(symbol[0], dataset.names) for symbol in (first, second)]
        labels += [words[0], words[1], TITLES[name]]
    told = "; ".join(
        f"{TITLES[name]} {score.divergence:.2f} nats (the first symbol as it is: "
        f"{score.of_first:.2f}), {score.right:.0%} say what they should ({score.best:.0%} of the "
        "results' own symbols)"
        for name, score in scores.items()
    )
    of = ", ".join(dataset.names[k] for k in coded) or "none"
    return figures.image_grid(
        _draw(model, concepts, seed),
        row_labels=labels,
        group=3,
        title="Recombined: two symbols, and what an operator makes of their concepts",
        note=f"Pairs that no operator was trained on (seed {seed}). Over such pairs, KL of the "
        f"result from the concept of the symbol that it should be: {told}; of the factors that "
        f"pictures are told by ({of}).",
    )


def _pair(
    model: Any, operator: str, known: Int[Tensor, "n k"], best: list[int]
) -> tuple[Int[Tensor, "1 k"], Int[Tensor, "1 k"]]:
    """The first pair of simple symbols that was held out, of the factors known best."""
    one, two = best[:2]
    said = {"and": ([one], [two]), "in_common": ([one, two], [two]), "ignore": ([one, two], [two])}
    if operator == "in_common" and len(best) > 2:
        said[operator] = ([one, two], [two, best[2]])
    first, second = (torch.full_like(known, -1) for _ in range(2))
    for symbols, columns in zip((first, second), said[operator], strict=True):
        symbols[:, columns] = known[:, columns]
    place = int(model.held_out(first, second).int().argmax())  # the first, where none is
    return first[place, None], second[place, None]


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
