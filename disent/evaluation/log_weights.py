# SPDX-License-Identifier: Apache-2.0
"""Log-weights of a model's samples: what the importance-weighted log-likelihood is made of."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from disent.data.base import PictureDataset
from disent.encoding import encoder_of
from disent.streams import Stream

BATCH = 1024  # latents decoded at once


class NoDensity(ValueError):  # noqa: N818 - says what is not there
    """A density that the log-likelihood is made of does not exist for this model."""


def log_weights_of(
    model: Any,
    dataset: PictureDataset,
    rows: Int[Tensor, "n"],
    samples: int,
    *,
    seed: int = 0,
    from_prior: bool = False,
    advance: Callable[[int], Any] = lambda pictures: None,
) -> Float[Tensor, "n k"]:
    """log p(x, z) - log q(z|x) of samples z of the posterior of each picture; float64, on the CPU.

    The samples of a picture are a function of the seed and of its row alone.

    Args:
        model: With `encode`, `distortion` and a `prior`.
        dataset: Its pictures.
        rows: Which of them.
        samples: K, of each picture.
        seed: Of the samples.
        from_prior: Draw z from p(z) in place of q(z|x): naive Monte Carlo, whose weights are
            log p(x|z).
        advance: Told how many pictures are done, again and again.
    Raises:
        NoDensity: p(x|z), p(z) or q(z|x) has no density.
        ValueError: There is no sample.
    """
    if samples < 1:
        raise ValueError(f"got samples={samples}, but at least 1 of each picture is wanted.")
    check_densities(model, dataset)
    found = torch.empty(len(rows), samples, dtype=torch.float64)
    stream = Stream(seed, "samples of the prior" if from_prior else "samples of posteriors")
    weigh = _weigh_prior if from_prior else _weigh_posterior
    done = 0
    for index in rows.split(max(BATCH // samples, 1)):
        with torch.inference_mode():
            found[done : done + len(index)] = weigh(model, dataset, index, samples, stream)
        done += len(index)
        advance(len(index))
    return found


def check_densities(model: Any, dataset: PictureDataset) -> None:
    """Raises NoDensity, which names what a model lacks of p(x|z), p(z) and q(z|x)."""
    with torch.inference_mode():
        missing = _missing(model, dataset)
    if missing:
        raise NoDensity(
            f"log_likelihood wants {missing}. A model with a likelihood and a Gaussian posterior, "
            "such as VAE, has all it wants."
        )


def _missing(model: Any, dataset: PictureDataset) -> str:
    """What a model lacks, in words; "" if nothing."""
    no_likelihood = "p(x|z), but what this decoder gives is no probability of pictures"
    if not hasattr(model, "distortion"):
        return no_likelihood
    row = torch.zeros(1, dtype=torch.int64)
    own, x = encoder_of(model, dataset, row), dataset.batch(row.to(model.device))
    q = own.encode(x)
    if own.distortion(x, q.mean) is None:
        return no_likelihood
    if not hasattr(q, "log_prob"):
        return f"the density of q(z|x), but this posterior, {type(q).__name__}, has none"
    prior = getattr(model, "prior", None)
    try:
        if prior is not None:
            prior.log_prob(q.mean)
            return ""
    except NotImplementedError:
        pass
    return f"the density of p(z), but this prior, {type(prior).__name__}, has none"


def _log_prior(model: Any, z: Float[Tensor, "*k b d"]) -> Float[Tensor, "*k b"]:
    return model.prior.log_prob(z.flatten(0, -2)).view(z.shape[:-1])


def _weigh_posterior(
    model: Any, dataset: PictureDataset, index: Int[Tensor, "b"], samples: int, stream: Stream
) -> Float[Tensor, "b k"]:
    q = encoder_of(model, dataset, index).encode(dataset.batch(index.to(model.device)))
    parts = []
    for noise in _noise(stream, index, samples, q.mean.shape[1]):
        z = q.sample(noise.to(q.mean))
        # densities in float64, of the very z that is decoded
        ratio = _log_prior(model, z.double()) - q.log_prob(z.double())
        parts.append(ratio - _distortions(model, dataset, index, z))
    return torch.cat(parts).T.cpu()


def _weigh_prior(
    model: Any, dataset: PictureDataset, index: Int[Tensor, "b"], samples: int, stream: Stream
) -> Float[Tensor, "b k"]:
    parts = []
    for noise in _noise(stream, index, samples, model.prior.draws):
        z = model.prior.sample(noise.flatten(0, 1).to(model.device)).unflatten(0, noise.shape[:2])
        parts.append(-_distortions(model, dataset, index, z))
    return torch.cat(parts).T.cpu()


def _noise(
    stream: Stream, index: Int[Tensor, "b"], samples: int, width: int
) -> tuple[Float[Tensor, "c b w"], ...]:
    """Normal numbers of each picture, those that are decoded at once together."""
    drawn = torch.stack([stream.normal(int(row), (samples, width)) for row in index], 1)
    return drawn.split(max(BATCH // len(index), 1))


def _distortions(
    model: Any, dataset: PictureDataset, index: Int[Tensor, "b"], z: Float[Tensor, "c b d"]
) -> Float[Tensor, "c b"]:
    """-log p(x|z) of several z of each picture, in float64."""
    every = index.repeat(len(z))
    x = dataset.batch(index.to(model.device)).repeat(len(z), 1, 1, 1)
    own = encoder_of(model, dataset, every)
    return own.distortion(x, z.flatten(0, 1)).double().view(z.shape[:2])
