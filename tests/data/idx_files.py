# SPDX-License-Identifier: Apache-2.0
"""Small files of the layout of MNIST's, written byte by byte."""

import gzip
from pathlib import Path

import numpy as np

TRAIN, TEST = 5, 3  # pictures of each part


def idx(array: np.ndarray) -> bytes:
    """An array of bytes as IDX: 0 0 8 and its dimensions, sizes highest byte first, values."""
    header = bytes([0, 0, 8, array.ndim])
    return header + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def parts() -> dict[str, np.ndarray]:
    """By file name: picture i of all eight is filled with 10 i, its label is 9 - i."""
    every = np.arange(TRAIN + TEST, dtype=np.uint8)
    pictures = np.broadcast_to(10 * every[:, None, None], (len(every), 28, 28)).astype(np.uint8)
    labels = (9 - every).astype(np.uint8)
    return {
        "train-images-idx3-ubyte": pictures[:TRAIN],
        "train-labels-idx1-ubyte": labels[:TRAIN],
        "t10k-images-idx3-ubyte": pictures[TRAIN:],
        "t10k-labels-idx1-ubyte": labels[TRAIN:],
    }


def write(folder: Path, *, packed: bool = False, dotted: bool = False, **other: bytes) -> Path:
    """The four files; `other` gives one of them, such as train_labels, other bytes."""
    folder.mkdir(exist_ok=True)
    for name, array in parts().items():
        raw = other.get("_".join(name.split("-")[:2]), idx(array))
        name = name.replace("-idx", ".idx") if dotted else name
        (folder / (f"{name}.gz" if packed else name)).write_bytes(
            gzip.compress(raw) if packed else raw
        )
    return folder
