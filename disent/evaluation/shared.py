# SPDX-License-Identifier: Apache-2.0
"""What the evaluations of several runs on the same pictures have in common."""

from typing import Any

from disent.codes import CodeTable
from disent.data.base import PictureDataset
from disent.data.census import Census, count_pictures
from disent.evaluation.pca import PixelPCA


class Shared:
    """What is made of pictures alone, once for all the runs of a call.

    Pictures are known by the fingerprint of their dataset.

    Example:
        >>> from disent.data import Digits
        >>> shared = Shared()
        >>> shared.pca(Digits(), 10) is shared.pca(Digits(), 10)
        True
    """

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], Any] = {}

    def pca(self, dataset: PictureDataset, components: int) -> CodeTable:
        """The codes of every picture by probabilistic PCA of all of them."""
        key = ("pca", dataset.fingerprint, components)
        if key not in self._made:
            fitted = PixelPCA.fit(dataset, components)
            self._made[key] = CodeTable.encode(fitted, dataset)
        return self._made[key]

    def census(self, dataset: PictureDataset) -> Census:
        """How many different pictures there are."""
        key = ("census", dataset.fingerprint)
        if key not in self._made:
            self._made[key] = count_pictures(dataset)
        return self._made[key]
