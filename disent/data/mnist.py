# SPDX-License-Identifier: Apache-2.0
"""MNIST and Fashion-MNIST, from the four official files of either."""

import os

import numpy as np

from disent.data import idx
from disent.data.labelled import LabelledPictures, Part

CLASSES, SIZE = 10, (28, 28)
DIGITS = "http://yann.lecun.com/exdb/mnist"
CLOTHING = "https://github.com/zalandoresearch/fashion-mnist"


class MNIST(LabelledPictures):
    """MNIST: 60,000 + 10,000 handwritten digits of 28 x 28, from the official files.

    LeCun, Bottou, Bengio & Haffner (1998), "Gradient-based learning applied to document
    recognition", http://yann.lecun.com/exdb/mnist. `label` is the digit; with part "all" (the
    60,000 first, then the 10,000) --loader.held_out "test == 1" trains on the official training
    part, see LabelledPictures. Nothing is downloaded.

    Args:
        path: Folder of train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte
            and t10k-labels-idx1-ubyte, packed (.gz) or not.
        part: all, the official train part, or the official test part.
    Raises:
        FileNotFoundError: One of the files is missing.
        ValueError: One is of another kind, cut short, or does not fit to the others.
    """

    def __init__(self, path: str | os.PathLike[str], part: Part = "all") -> None:
        super().__init__("MNIST, IDX files", *read_parts(path, DIGITS), part)


class FashionMNIST(LabelledPictures):
    """Fashion-MNIST: 60,000 + 10,000 pieces of clothing of 28 x 28, from the official files.

    Xiao, Rasul & Vollgraf (2017), https://arxiv.org/abs/1708.07747. `label` is the class: T-shirt,
    trousers, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot. The files have the
    names of MNIST's, so keep them in a folder of their own; parts as in MNIST.

    Args:
        path: Folder of the four files, packed (.gz) or not.
        part: all, the official train part, or the official test part.
    Raises:
        FileNotFoundError: One of the files is missing.
        ValueError: One is of another kind, cut short, or does not fit to the others.
    """

    def __init__(self, path: str | os.PathLike[str], part: Part = "all") -> None:
        super().__init__("Fashion-MNIST, IDX files", *read_parts(path, CLOTHING), part)


def read_parts(
    folder: str | os.PathLike[str], home: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures uint8 [N, 28, 28], labels uint8 [N], and which are of the test part, bool [N].

    Raises:
        FileNotFoundError: One of the files is missing.
        ValueError: One is not what its name says, or does not fit to the others.
    """
    pictures, labels = zip(*(_read(folder, part, home) for part in ("train", "t10k")), strict=True)
    test = np.repeat([False, True], [len(part) for part in labels])
    return np.concatenate(pictures), np.concatenate(labels), test


def _read(folder: str | os.PathLike[str], part: str, home: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels of one part, as far as they fit to each other."""
    image_file = idx.find(folder, f"{part}-images-idx3-ubyte", home)
    label_file = idx.find(folder, f"{part}-labels-idx1-ubyte", home)
    pictures, labels = idx.read(image_file, 3), idx.read(label_file, 1)
    if pictures.shape[1:] != SIZE or not len(pictures):
        raise ValueError(
            f"{image_file} holds {' x '.join(map(str, pictures.shape))} pixels, but pictures of "
            "28 x 28 are wanted. Take the official file."
        )
    if len(pictures) != len(labels):
        raise ValueError(
            f"{image_file} holds {len(pictures):,} pictures, but {label_file} {len(labels):,} "
            "labels. Take both from one download."
        )
    if labels.max() >= CLASSES:
        raise ValueError(
            f"{label_file} holds a label {labels.max()}, but classes 0 to 9 are wanted. Take the "
            "official file."
        )
    return pictures, labels
