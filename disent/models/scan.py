# SPDX-License-Identifier: Apache-2.0
"""SCAN: concepts, as distributions over the latents of a VAE that sees, learnt from symbols."""

import os
from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from disent.data.base import Batch, PictureDataset
from disent.gaussian import DiagonalGaussian
from disent.likelihoods.base import Likelihood
from disent.models.base import Model, Noise, Told, Update
from disent.models.concepts import Concepts
from disent.models.ranks import gather
from disent.models.recombine import Operators
from disent.models.symbols import OPERATORS, Operator, held_out, pair
from disent.models.vae import VAE
from disent.models.vision import check_pictures, load_vision


class SCAN(Model):
    """-log p(y|z) + KL(q(z|y) || N(0, 1)) + lambda KL(q(z|x) || q(z|y)), in nats a picture.

    Higgins et al. (2018), "SCAN: Learning Hierarchical Compositional Visual Concepts", eq. 2,
    https://arxiv.org/abs/1707.03389. A symbol y says the values of some factors of a picture x.
    q(z|x) is that of a trained VAE, which stays as it is; q(z|y) learns to cover it in all that the
    symbol leaves open: the direction of the last term keeps the latents of what is not said wide.
    A step draws which factors its symbols say, each with probability 1/2. p(y|z) is a categorical
    distribution for each factor that is said, where the paper has a Bernoulli one for each value.

    A second update trains the operators AND, IN COMMON and IGNORE: KL(q(z|r) || operator's), r the
    symbol that two symbols of a picture are recombined to; the paper takes q(z|x) of a picture
    that r describes in place of q(z|r). One pair of symbols in five is never trained on, see
    `held_out`.

    Codes, pictures and scores are those of the VAE, whose weights are kept in the run's
    checkpoints, too: training it again changes nothing here, but its folder must stay.

    Args:
        vision: The folder of a VAE's run; on the same data.
        grounding: lambda, the weight of KL(q(z|x) || q(z|y)); the paper takes 10.
        coarseness: Values of a factor in symbols, at most: so many runs of neighbouring values;
            None: all that the factor has.
        width: Of the two hidden layers of each network for symbols.
        operator_width: Of those of the operators.
        factor_names: Of all factors or labels; on the command line, those of the dataset.
        factor_sizes: How many values each takes; on the command line, those of the dataset.
        lr: Learning rate of Adam, for both updates.
        seed: Of the initial weights and the noise; on the command line, --seed_everything.
    """

    updates = (Update("step_loss"), Update("recombine", ("operators",)))
    labels = True
    strength = ("grounding", "lambda")
    named_by = ("grounding",)
    grounding: Tensor

    def __init__(
        self,
        vision: str | os.PathLike[str] | VAE | None = None,
        grounding: float = 10.0,
        coarseness: int | None = 4,
        width: int = 256,
        operator_width: int = 64,
        factor_names: Sequence[str] = (),
        factor_sizes: Sequence[int] = (),
        lr: float = 1e-3,
        seed: int = 0,
    ) -> None:
        _check(grounding, coarseness, min(width, operator_width), lr)
        seen = load_vision(vision)
        super().__init__(seen.latent_dim, seed)
        if not factor_sizes or len(factor_names) != len(factor_sizes):
            raise ValueError(
                f"got factor_names {list(factor_names)} and factor_sizes {list(factor_sizes)}, but "
                "symbols say factors or labels of the pictures: take a dataset that has some."
            )
        self.vision_path = None if isinstance(vision, VAE) else str(vision)
        self.knob("grounding", grounding)
        self.lr, named = lr, (factor_names, factor_sizes, coarseness)
        with self.seeded("concepts"):
            self.concepts = Concepts(*named, self.latent_dim, width)
        with self.seeded("operators"):
            self.operators = Operators(operator_width)
        self.vision = seen

    @property
    def likelihood(self) -> Likelihood:  # pyright: ignore[reportIncompatibleVariableOverride]
        """p(x|z) of the vision."""
        return self.vision.likelihood

    def check_data(self, dataset: PictureDataset) -> None:
        """Raises ValueError where the vision was trained on other pictures than these."""
        if self.vision_path is not None:
            check_pictures(self.vision_path, dataset)

    def draws(self) -> dict[str, int]:
        said = dict.fromkeys(("said", "first", "second", "another"), len(self.concepts.sizes))
        return {"posterior": self.latent_dim, **said}

    def step_loss(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """The loss of a batch, its terms, and for each factor the share of pictures named right."""
        known = self.concepts.symbols(batch.factors)
        y = torch.where(noise["said"] < 0, known, -1)
        with torch.no_grad():
            seen = self.encode(batch.x)
            right = gather((self.concepts.likeliest(seen.mean) == known).float())
        q = self.concepts(y)
        rate = gather(q.kl().sum(-1))
        distortion = gather(self.concepts.distortion(y, q.sample(noise["posterior"])))
        grounding = gather(seen.divergence(q).sum(-1))
        loss = (distortion + rate + self.grounding * grounding).mean()
        return loss, {
            "symbol_distortion": distortion,
            "symbol_rate": rate,
            "symbol_grounding": grounding,
            **{f"right_{name}": right[:, k] for k, name in enumerate(self.concepts.names)},
        }

    def recombine(
        self, batch: Batch, noise: Noise, step: int | Tensor
    ) -> tuple[Float[Tensor, ""], Told]:
        """What the operators miss, of the pairs of symbols that they may be trained on."""
        known, drawn = gather(self.concepts.symbols(batch.factors)), ("first", "second", "another")
        noise = {name: gather(noise[name]) for name in drawn}
        loss, told = torch.zeros((), device=known.device), Told()
        for name in OPERATORS:
            symbols = self.pairs(name, known, noise)
            with torch.no_grad():
                all_three = self.concepts(torch.cat(symbols))
                parts = zip(all_three.mean.chunk(3), all_three.logvar.chunk(3), strict=True)
                one, two, wanted = (DiagonalGaussian(*part) for part in parts)
            missed = wanted.divergence(self.operators(name, one, two)).sum(-1)
            loss = loss + (missed * ~self.held_out(*symbols[:2])).mean()
            told[f"{name}_divergence"] = missed
        return loss, told

    def pairs(
        self, operator: Operator, known: Int[Tensor, "n k"], noise: Noise
    ) -> tuple[Int[Tensor, "n k"], Int[Tensor, "n k"], Int[Tensor, "n k"]]:
        """Two symbols of each picture, and what an operator makes of them; see `pair`."""
        return pair(operator, known, noise)

    def held_out(self, first: Int[Tensor, "b k"], second: Int[Tensor, "b k"]) -> Bool[Tensor, "b"]:
        """Which pairs of symbols no operator is trained on."""
        return held_out(first, second, self.concepts.sizes)

    def recombination(
        self, operator: Operator, first: Int[Tensor, "b k"], second: Int[Tensor, "b k"]
    ) -> DiagonalGaussian:
        """The distribution over latents that an operator makes of those of two symbols."""
        return self.operators(operator, self.concepts(first), self.concepts(second))

    def symbols_of(self, x: Float[Tensor, "b c h w"]) -> Int[Tensor, "b k"]:
        """The likeliest value of every factor of pictures, as symbols have it."""
        return self.concepts.likeliest(self.encode(x).mean)

    def imagine(
        self, symbols: Int[Tensor, "b k"], noise: Float[Tensor, "b d"]
    ) -> Float[Tensor, "b c h w"]:
        """Pictures in [0, 1] of what symbols say, all else as the noise from N(0, 1) has it."""
        return self.picture(self.concepts(symbols).sample(noise))

    def encode(self, x: Float[Tensor, "b c h w"]) -> DiagonalGaussian:
        """The vision's posterior q(z|x)."""
        return cast(DiagonalGaussian, self.vision.encode(x))

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b o h w"]:
        return self.vision.decode(z)

    def picture(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b c h w"]:
        return self.vision.picture(z)

    def distortion(
        self, x: Float[Tensor, "b c h w"], z: Float[Tensor, "b d"]
    ) -> Float[Tensor, "b"]:
        return self.vision.distortion(x, z)


def _check(grounding: float, coarseness: int | None, width: int, lr: float) -> None:
    if not 0 <= grounding < float("inf"):
        raise ValueError(f"grounding must be >= 0, got {grounding}. 10 is usual.")
    if coarseness is not None and coarseness < 2:
        raise ValueError(
            f"coarseness is {coarseness}, but a symbol tells 2 values apart or more: 4 is usual; "
            "null takes all values of each factor."
        )
    if width < 1 or not 0 < lr < float("inf"):
        raise ValueError(
            f"got a width of {width} and lr {lr}, but numbers > 0 are wanted: 256, 64 and 1e-3."
        )
