# SPDX-License-Identifier: Apache-2.0
"""The small handwritten digits that scikit-learn brings along."""

import numpy as np

from disent.data.labelled import LabelledPictures, Part
from disent.streams import Stream

LEVELS = 16  # a pixel counts 0 to 16 dark points of a block of 4 x 4
SET_APART, SEED = 360, 0  # pictures for testing, a fifth of all, and the seed that chose them


class Digits(LabelledPictures):
    """Optical digits: 1,797 pictures of 8 x 8, which come with scikit-learn; for small studies.

    Alpaydin & Kaynak (1998), https://archive.ics.uci.edu/dataset/80. `label` is the digit. Pixel
    values 0 to 16 become round(255 v / 16), where 8 becomes 128. There is no official division:
    360 pictures, drawn with seed 0, are set apart for testing, see LabelledPictures.

    Args:
        part: all, the 1,437 that are not set apart, or the 360 that are.
    """

    def __init__(self, part: Part = "all") -> None:
        from sklearn.datasets import load_digits  # loading it takes a second

        values, label = load_digits(return_X_y=True)
        pictures = np.rint(np.asarray(values) * (255 / LEVELS)).astype(np.uint8).reshape(-1, 8, 8)
        test = np.zeros(len(pictures), bool)
        test[Stream(SEED, "digits set apart").permutation(0, len(test))[:SET_APART].numpy()] = True
        super().__init__("optical digits of scikit-learn", pictures, np.asarray(label), test, part)
