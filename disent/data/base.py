# SPDX-License-Identifier: Apache-2.0
"""What every dataset of the suite is: pictures by index, with labels or a whole grid of factors."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import NamedTuple, Self

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from disent.grid import FactorGrid

WHOLE = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)  # labels are such numbers


class Batch(NamedTuple):
    """Pictures of a step, with what is known of them.

    Attributes:
        x: Float[B, C, H, W] in [0, 1].
        factors: Int[B, K], their factor values or labels; None where there are none, -1 where one
            is missing.
        other: The second pictures of models that ask for two views, see disent.data.views.
    """

    x: Float[Tensor, "b c h w"]
    factors: Int[Tensor, "b k"] | None = None
    other: "Batch | None" = None

    def each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        """The same with every tensor changed."""
        factors = None if self.factors is None else change(self.factors)
        other = None if self.other is None else self.other.each(change)
        return Batch(change(self.x), factors, other)

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by the name of its place; `of` puts them back."""
        own = {"x": self.x} if self.factors is None else {"x": self.x, "factors": self.factors}
        others = {} if self.other is None else self.other.tensors()
        return own | {f"other.{name}": tensor for name, tensor in others.items()}

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> "Batch":
        """From what `tensors` gave."""
        others = {name[6:]: t for name, t in tensors.items() if name.startswith("other.")}
        return cls(tensors["x"], tensors.get("factors"), cls.of(others) if others else None)


class PictureDataset(ABC):
    """Pictures by index, 0 to len - 1, all of one size.

    A member says `__len__`, `fingerprint` and `images`; and `names` with `factors` where something
    is known of the pictures.

    Attributes:
        channels: 1 for grey pictures, 3 for RGB.
        size: Height and width in pixels.
        names: Of the K labels, which are whole numbers from 0 on.
    """

    channels: int
    size: tuple[int, int] = (64, 64)
    names: tuple[str, ...] = ()

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Identifies the pictures: name, origin and a digest. Stored beside every score."""

    @abstractmethod
    def __len__(self) -> int:
        """How many pictures there are."""

    @abstractmethod
    def images(self, index: Int[Tensor, "b"]) -> UInt8[Tensor, "b c h w"]:
        """Pictures at indices, 0 to 255, on the device of `index`."""

    def factors(self, index: Int[Tensor, "b"]) -> Int[Tensor, "b k"] | None:
        """Labels of pictures, on the device of `index`; -1 for a missing one, None without any."""
        return None

    def marks(self) -> dict[str, Int[Tensor, "n"]]:
        """What a condition may name besides the labels, which no score counts as one: by name."""
        return {}

    def batch(self, index: Int[Tensor, "b"]) -> Float[Tensor, "b c h w"]:
        """Pictures at indices as float32 in [0, 1], on the device of `index`."""
        return self.images(index).to(torch.float32).div_(255)

    def at(self, index: Int[Tensor, "b"]) -> Batch:
        """Pictures and what is known of them."""
        return Batch(self.batch(index), self.factors(index))

    def to(self, device: torch.device | str) -> Self:
        """Keeps the stored pictures on `device`, if they fit there, so that gathers stay there.

        Where they do not fit, or nothing is stored, they are gathered in main memory and copied.
        """
        return self


class FactorDataset(PictureDataset):
    """Pictures of a whole grid of ground-truth factors, by flat index.

    Attributes:
        grid: The factors and their values.
    """

    grid: FactorGrid

    @property
    def names(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Of the K factors."""
        return self.grid.names

    def __len__(self) -> int:
        return len(self.grid)

    def factors(self, index: Int[Tensor, "b"]) -> Int[Tensor, "b k"]:
        """Factor values of pictures."""
        return self.grid.factors(index)


def check_pictures(dataset: PictureDataset) -> None:
    """Raises ValueError unless the first picture is as the dataset says that its pictures are.

    Its labels, and what identifies the dataset, are looked at, too.
    """
    name = f"{type(dataset).__module__}.{type(dataset).__name__}"
    if name.startswith("disent."):
        return
    first = dataset.images(index := torch.zeros(1, dtype=torch.int64))
    wanted = [1, dataset.channels, *dataset.size]
    if not _is(first, wanted, torch.uint8):
        raise ValueError(
            f"{name}.images gave {_described(first)} for one picture, but "
            f"{wanted} of torch.uint8, 0 to 255, is wanted: [B, channels, height, width]."
        )
    labels, wanted = dataset.factors(index), [1, len(dataset.names)]
    if labels is not None and not _is(labels, wanted, *WHOLE):
        raise ValueError(
            f"{name}.factors gave {_described(labels)} for one picture, but {wanted} of "
            "torch.int64 is wanted: a column for each of its names."
        )
    if not isinstance(dataset.fingerprint, str):
        raise ValueError(
            f"{name}.fingerprint is {_described(dataset.fingerprint)}, but a text is wanted, "
            "which identifies the pictures."
        )


def _is(value: object, shape: list[int], *kinds: torch.dtype) -> bool:
    return isinstance(value, Tensor) and list(value.shape) == shape and value.dtype in kinds


def _described(value: object) -> str:
    """Shape and numbers of a tensor; of anything else the class."""
    if isinstance(value, Tensor):
        return f"{list(value.shape)} of {value.dtype}"
    return f"{type(value).__module__}.{type(value).__name__}".removeprefix("builtins.")


def check_index(index: Tensor, pictures: int) -> None:
    """Raises TypeError or IndexError unless `index` lists flat indices of so many pictures.

    The range is looked at on the CPU alone: on an accelerator the look would make the host wait,
    and the gather itself refuses what is out of range.
    """
    if index.ndim != 1 or index.dtype not in (torch.int64, torch.int32):
        raise TypeError(
            f"index has shape {list(index.shape)} and dtype {index.dtype}, but a list of flat "
            "indices (int64) is wanted; FactorGrid.index makes them."
        )
    if index.device.type == "cpu" and len(index):
        low, high = (int(value) for value in index.aminmax())
        if low < 0 or high >= pictures:
            raise IndexError(
                f"flat indices run from 0 to {pictures - 1}, but {low} to {high} came."
            )
