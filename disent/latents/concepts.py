# SPDX-License-Identifier: Apache-2.0
"""How well symbols and pictures follow each other in a model of concepts, such as SCAN."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.data.base import PictureDataset
from disent.streams import Stream

JUDGES = 20_000  # real pictures among which the nearest one says what an imagined one shows
BATCH = 500
DRAWS = 64  # of a concept, to read what it says


class Shares(NamedTuple):
    """How often each of K factors came out right, 0 to 1.

    Attributes:
        names: Of the factors.
        right: Float[K], share right among the symbols that say it; nan where none does.
        chance: Float[K], what always naming the most frequent value would get.
    """

    names: tuple[str, ...]
    right: Float[Tensor, "k"]
    chance: Float[Tensor, "k"]

    @property
    def coded(self) -> list[int]:
        """The factors that are right more than halfway from chance to always."""
        return torch.nonzero(self.right > (1 + self.chance) / 2).flatten().tolist()

    def __str__(self) -> str:
        rows = zip(self.names, self.right.tolist(), self.chance.tolist(), strict=True)
        return ", ".join(f"{name} {right:.0%} ({chance:.0%})" for name, right, chance in rows)


class Imagined(NamedTuple):
    """What pictures of symbols that say one factor show, by the nearest real picture.

    Attributes:
        shares: Share of pictures that show the value that was said.
        spread: Float[K], entropy of the values shown where a factor was not said, over that of
            equally many values: 1 is evenly spread, 0 is always the same; averaged over symbols.
        reconstructed: The same share as in `shares`, of the vision's own reconstructions of real
            pictures: what the judge can see, and the vision can draw.
    """

    shares: Shares
    spread: Float[Tensor, "k"]
    reconstructed: Shares


class Recombined(NamedTuple):
    """An operator on pairs of symbols that it was never trained on; means over pairs.

    Attributes:
        divergence: KL from the posterior of the recombined symbol, in nats.
        of_first: The same of the first symbol's own posterior: an operator that does nothing.
        right: Share of pairs whose posterior says what the recombined symbol says, of all factors
            that are read, and nothing else of these; nan where none is.
        best: The same of the recombined symbol's own posterior.
        pairs: How many there were.
    """

    divergence: float
    of_first: float
    right: float
    best: float
    pairs: int


def shares(found: Int[Tensor, "n k"], wanted: Int[Tensor, "n k"], names: tuple[str, ...]) -> Shares:
    """How often each factor that is said (not -1) was found, beside chance.

    Example:
        >>> s = shares(torch.tensor([[0], [1], [1]]), torch.tensor([[0], [0], [-1]]), ("size",))
        >>> s.right.tolist(), s.chance.tolist()
        ([0.5], [1.0])
    """
    said = wanted >= 0
    right = ((found == wanted) & said).sum(0) / said.sum(0)
    most = [wanted[said[:, k], k].bincount(minlength=1).max() for k in range(wanted.shape[1])]
    return Shares(names, right, torch.stack(most) / said.sum(0))


def evenness(values: Int[Tensor, "n"], size: int) -> float:
    """Entropy of values, over that of `size` equally frequent ones; 0 to 1.

    Example:
        >>> evenness(torch.tensor([0, 0, 1, 1]), 4)
        0.5
    """
    share = values.bincount(minlength=size).double() / len(values)
    return float(-torch.special.xlogy(share, share).sum() / math.log(size))


def nearest(
    pictures: Float[Tensor, "n c h w"], real: Float[Tensor, "m c h w"]
) -> tuple[Float[Tensor, "n"], Int[Tensor, "n"]]:
    """Squared distance to the nearest of some real pictures, summed over pixels, and its row."""
    rows, others = pictures.flatten(1), real.flatten(1)
    distances = others.square().sum(1) - 2 * rows @ others.T
    near, row = distances.min(1)
    return near + rows.square().sum(1), row


class Judge:
    """Says what pictures show: the symbols of the nearest of some real pictures.

    Args:
        model: Whose symbols are meant.
        dataset: Of whose pictures 20,000 random ones are taken, or all of fewer.
        seed: Of the choice.
    """

    def __init__(self, model: Any, dataset: PictureDataset, seed: int) -> None:
        everything = torch.arange(len(dataset))
        if len(dataset) > JUDGES:
            everything = Stream(seed, "judges").permutation(0, len(dataset))[:JUDGES]
        self.dataset, self.rows = dataset, everything
        self.symbols = model.concepts.symbols(dataset.factors(everything))

    def __call__(self, pictures: Float[Tensor, "n c h w"]) -> Int[Tensor, "n k"]:
        found = [
            (distance, self.symbols[start + row])
            for start in range(0, len(self.rows), BATCH)
            for distance, row in [
                nearest(pictures, self.dataset.batch(self.rows[start : start + BATCH]).to(pictures))
            ]
        ]
        best = torch.stack([distance for distance, _ in found]).argmin(0).cpu()
        return torch.stack([symbols for _, symbols in found])[best, torch.arange(len(best))]


@torch.no_grad()
def named(model: Any, dataset: PictureDataset, n: int = 2000, seed: int = 0) -> Shares:
    """From pictures to symbols: share of random pictures whose factor is named rightly."""
    rows = Stream(seed, "pictures to name").integers(0, len(dataset), n)
    found = [model.symbols_of(_pictures(model, dataset, part)).cpu() for part in rows.split(BATCH)]
    return shares(torch.cat(found), model.concepts.symbols(dataset.factors(rows)), dataset.names)


@torch.no_grad()
def imagined(model: Any, dataset: PictureDataset, each: int = 40, seed: int = 0) -> Imagined:
    """From symbols to pictures: what those show that are imagined of every value of every factor.

    Args:
        model: A SCAN, in eval mode.
        dataset: The one that it was trained on.
        each: Pictures of a symbol.
        seed: Of the pictures and of the judge.
    """
    judge, sizes = Judge(model, dataset, seed), model.concepts.sizes
    said = torch.cat([_alone(k, sizes) for k in range(len(sizes))])
    noise = Stream(seed, "imagined").normal(0, (len(said) * each, model.latent_dim))
    asked = said.repeat_interleave(each, 0)
    drawn = model.imagine(asked.to(model.device), noise.to(model.device))
    shown = judge(drawn)
    spread = torch.stack([
        torch.tensor([evenness(part[:, k], size) for k, size in enumerate(sizes)])
        for part in shown.split(each)
    ])  # fmt: skip
    spread[said >= 0] = torch.nan
    rows = Stream(seed, "pictures to judge").integers(0, len(dataset), 10 * each)
    again = judge(model.reconstruct(_pictures(model, dataset, rows)))
    return Imagined(
        shares(shown, asked, dataset.names),
        spread.nanmean(0),
        shares(again, model.concepts.symbols(dataset.factors(rows)), dataset.names),
    )


@torch.no_grad()
def recombinations(
    model: Any, dataset: PictureDataset, coded: list[int], n: int = 5000, seed: int = 0
) -> Mapping[str, Recombined]:
    """Each operator on the pairs, among n random ones, that it was not trained on.

    Args:
        model: A SCAN, in eval mode.
        dataset: Whose pictures the symbols describe.
        coded: Columns of the factors that pictures are told by, see Shares.coded.
        n: Pairs that are drawn, as in a step; one in five is scored.
        seed: Of the pairs.
    """
    rows = Stream(seed, "pictures of pairs").integers(0, len(dataset), n)
    known = model.concepts.symbols(dataset.factors(rows)).to(model.device)
    stream = Stream(seed, "pairs")
    noise = {
        name: stream.normal(place, tuple(known.shape)).to(model.device)
        for place, name in enumerate(("first", "second", "another"))
    }
    draws = Stream(seed, "readings").normal(0, (DRAWS, 1, model.latent_dim)).to(model.device)
    scores = {}
    for name in model.operators.networks:
        first, second, result = model.pairs(name, known, noise)
        chosen = model.held_out(first, second)
        first, second, result = first[chosen], second[chosen], result[chosen]
        wanted, found = model.concepts(result), model.recombination(name, first, second)

        def right(concept: Any, result: Tensor = result) -> float:
            read = model.concepts.read(concept, draws.expand(-1, len(result), -1))
            both = (read == result)[:, coded].all(1)
            return float(both.float().mean()) if coded else math.nan

        scores[name] = Recombined(
            float(wanted.divergence(found).sum(-1).mean()),
            float(wanted.divergence(model.concepts(first)).sum(-1).mean()),
            right(found),
            right(wanted),
            int(chosen.sum()),
        )
    return scores


def _alone(factor: int, sizes: tuple[int, ...]) -> Int[Tensor, "n k"]:
    """The symbols that say one factor, each of its values once."""
    symbols = torch.full((sizes[factor], len(sizes)), -1)
    symbols[:, factor] = torch.arange(sizes[factor])
    return symbols


def _pictures(model: Any, dataset: PictureDataset, rows: Tensor) -> Tensor:
    return dataset.batch(rows).to(model.device)
