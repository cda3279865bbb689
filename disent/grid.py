# SPDX-License-Identifier: Apache-2.0
"""The grid of ground-truth factors: flat index <-> factor values, and draws from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor


@dataclass(frozen=True)
class FactorGrid:
    """Every combination of the values of K factors, each combination once.

    The flat index is row-major: the last factor runs fastest. Works on the device of its argument.

    Args:
        names: One name per factor.
        sizes: How many values each factor takes; values are counted from 0.
    Example:
        >>> grid = FactorGrid(names=("shape", "scale"), sizes=(3, 6))
        >>> len(grid), int(grid.index(torch.tensor([2, 5])))
        (18, 17)
        >>> grid.factors(torch.tensor(17))
        tensor([2, 5])
    """

    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "sizes", tuple(int(size) for size in self.sizes))
        if not self.names or len(self.names) != len(self.sizes):
            raise ValueError(
                f"got {len(self.names)} names and {len(self.sizes)} sizes: {self.names}, "
                f"{self.sizes}. A grid wants one name and one size per factor, and at least one."
            )
        if len(set(self.names)) != len(self.names) or min(self.sizes) < 1:
            raise ValueError(
                f"got names {self.names} and sizes {self.sizes}. "
                "Names must differ and every size must be at least 1."
            )

    def __len__(self) -> int:
        return math.prod(self.sizes)

    @property
    def strides(self) -> tuple[int, ...]:
        """How far the flat index moves when a factor's value grows by 1."""
        return tuple(math.prod(self.sizes[k + 1 :]) for k in range(len(self.sizes)))

    def index(self, factors: Int[Tensor, "*batch k"]) -> Int[Tensor, "*batch"]:
        """Flat index of each row of factor values."""
        factors = torch.as_tensor(factors)
        if factors.ndim == 0 or factors.shape[-1] != len(self.sizes) or factors.is_floating_point():
            raise ValueError(
                f"factors has shape {list(factors.shape)} and dtype {factors.dtype}, but integers "
                f"with {len(self.sizes)} columns are wanted: {', '.join(self.names)}."
            )
        sizes = torch.tensor(self.sizes, device=factors.device)
        if bool(((factors < 0) | (factors >= sizes)).any()):
            raise IndexError(
                f"a factor value is outside its range. Values are counted from 0, and the sizes "
                f"are {dict(zip(self.names, self.sizes, strict=True))}."
            )
        return (factors * torch.tensor(self.strides, device=factors.device)).sum(-1)

    def factors(self, index: Int[Tensor, "*batch"]) -> Int[Tensor, "*batch k"]:
        """Factor values at each flat index; the inverse of `index`."""
        index = torch.as_tensor(index)
        known = index.numel() > 0 and index.device.type == "cpu"  # elsewhere a look would wait
        if known and (int(index.min()) < 0 or int(index.max()) >= len(self)):
            raise IndexError(
                f"flat indices run from 0 to {len(self) - 1}, "
                f"but {int(index.min())} to {int(index.max())} came."
            )
        strides = torch.tensor(self.strides, device=index.device)
        sizes = torch.tensor(self.sizes, device=index.device)
        return index[..., None] // strides % sizes

    def all_factors(self) -> Int[Tensor, "n k"]:
        """Factor values of every point, in the order of the flat index."""
        return self.factors(torch.arange(len(self)))

    def where(self, **fixed: int) -> Int[Tensor, "n"]:
        """Flat indices of every point at which the named factors have the given values, ascending.

        Example:
            >>> FactorGrid(("shape", "scale"), (3, 2)).where(scale=1).tolist()
            [1, 3, 5]
        """
        unknown = set(fixed) - set(self.names)
        if unknown:
            raise ValueError(
                f"no factor is named {', '.join(sorted(unknown))}. "
                f"The factors are: {', '.join(self.names)}."
            )
        axes = [
            torch.tensor([fixed[name]]) if name in fixed else torch.arange(size)
            for name, size in zip(self.names, self.sizes, strict=True)
        ]
        return self.index(torch.cartesian_prod(*axes).reshape(-1, len(axes)))

    def sample(self, shape: Sequence[int], *, generator: torch.Generator) -> Int[Tensor, "..."]:
        """Flat indices drawn uniformly, with replacement."""
        return torch.randint(len(self), tuple(shape), generator=generator, device=generator.device)

    def sample_sharing(
        self, factor: Int[Tensor, "n"], batch: int, *, generator: torch.Generator
    ) -> Int[Tensor, "n batch"]:
        """One batch of flat indices per entry of `factor`; a batch shares that factor's value.

        The shared value is drawn uniformly per batch, every other factor uniformly per member
        (the draws of the FactorVAE score; Kim & Mnih, 2018, section 4).
        """
        return self._share(self.sample((len(factor), batch), generator=generator), factor, 1)

    def sample_pairs(
        self, factor: Int[Tensor, "n"], batch: int, *, generator: torch.Generator
    ) -> Int[Tensor, "n batch 2"]:
        """A batch of pairs per entry of `factor`; both members of a pair share that factor's value.

        The shared value is drawn uniformly per pair, every other factor uniformly per member
        (the draws of the beta-VAE score; Higgins et al., 2017, section 3).
        """
        return self._share(self.sample((len(factor), batch, 2), generator=generator), factor, 2)

    def _share(self, index: Tensor, factor: Tensor, axis: int) -> Tensor:
        """Gives every member along `axis` the first member's value of the row's factor."""
        shape = (-1,) + (1,) * (index.ndim - 1)
        stride = torch.tensor(self.strides, device=index.device)[factor].view(shape)
        size = torch.tensor(self.sizes, device=index.device)[factor].view(shape)
        value = index // stride % size
        return index + (value.narrow(axis, 0, 1) - value) * stride
