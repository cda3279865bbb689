# SPDX-License-Identifier: Apache-2.0
"""Gradient boosted trees on codes cut into quantile bins: all trees of a stage grow at once.

The model is Friedman's multi-class boosting as scikit-learn's GradientBoostingClassifier has it,
except that a split falls between bins. The classes of all factors are boosted side by side.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import embedding_bag, one_hot

# Falls of the squared error nearer than this are one fall, summed in another order.
SAME_FALL = 1 - 1e-9
# A smaller one is rounding: the latent does not tell the classes apart.
SMALLEST_FALL = 1e-12
# A leaf with less curvature is wholly sure of its class and stays as it is.
SMALLEST_CURVATURE = 1e-150
# Bins are numbered in a byte.
MOST_BINS = 256


class Boosted(NamedTuple):
    """What boosting learnt of k factors.

    Attributes:
        importance: Float64[d, k], the latents' shares of the fall of squared error by the trees of
            a factor; a column sums to 1, or to 0 where no split was of use.
        train: Int[n, k], predicted factor values of the train rows.
        test: Int[m, k], of the test rows.
    """

    importance: Float[Tensor, "d k"]
    train: Int[Tensor, "n k"]
    test: Int[Tensor, "m k"]


def boost(
    codes: Float[Tensor, "n d"],
    factors: Int[Tensor, "n k"],
    test_codes: Float[Tensor, "m d"],
    *,
    stages: int = 100,
    depth: int = 3,
    rate: float = 0.1,
    bins: int = 64,
) -> Boosted:
    """Learns every factor from the codes, with one regression tree a stage, factor and value.

    A tree fits the residuals 1[v = c] - p(c) by splits, each the one that lowers the squared error
    most; its leaves take a Newton step of the cross-entropy, times `rate` (c - 1) / c for c values.
    With at least as many bins as a latent has values, this is scikit-learn's
    GradientBoostingClassifier, except that it draws lots where latents tie, and that here they
    share the importance. Nothing is drawn, and neither the order of the latents nor a positive
    scale or an offset changes the result.

    Args:
        codes: Latents of the train rows.
        factors: Their factor values, any integers.
        test_codes: Latents of rows to predict.
        stages: Trees for each value of a factor.
        depth: Splits between root and leaf.
        rate: Share of the Newton step that is taken.
        bins: 2 to 256; a latent with more values is cut into that many bins of equal shares.
    References:
        Friedman (2001), "Greedy Function Approximation: A Gradient Boosting Machine",
        algorithm 6, https://doi.org/10.1214/aos/1013203451.
    Example:
        >>> codes = torch.tensor([[0.1, 7.0], [0.2, 7.0], [0.9, 7.0], [0.8, 7.0]])
        >>> learnt = boost(codes, torch.tensor([[3], [3], [5], [5]]), codes[1:3])
        >>> learnt.importance.flatten(), learnt.test.flatten()
        (tensor([1., 0.], dtype=torch.float64), tensor([3, 5]))
    """
    if not 2 <= bins <= MOST_BINS:
        raise ValueError(f"bins must be from 2 to {MOST_BINS}, got {bins}. 64 is tried and tested.")
    n = len(codes)
    bin_of = _binned(codes.double(), test_codes.double(), bins)
    # An order of the latents that does not depend on how they came, so that splits do not either.
    order = bin_of.unique(dim=0, return_inverse=True)[1].argsort()
    forest = _Forest(bin_of[order], n, bins, depth)
    values, target = _classes(factors)
    counts = [len(v) for v in values]
    shrink = torch.cat([target.new_full((c, 1), rate * (c - 1) / c) for c in counts])
    logits = target.mean(1, keepdim=True).log().repeat(1, bin_of.shape[1])
    falls = target.new_zeros(codes.shape[1], len(target))
    for _ in range(stages):
        p = torch.cat([part.softmax(0) for part in logits[:, :n].split(counts)])
        leaf = forest.grow(target - p, falls)
        logits += (shrink * _steps(leaf[:, :n], target, p, 2**depth)).gather(1, leaf)
    of_factor = torch.stack([part.sum(1) for part in falls.split(counts, dim=1)], 1)
    total = of_factor.sum(0)
    importance = torch.empty_like(of_factor)
    importance[order] = of_factor / total.where(total > 0, 1)
    best = [v[part.argmax(0)] for v, part in zip(values, logits.split(counts), strict=True)]
    return Boosted(importance, *torch.stack(best, 1).split([n, len(test_codes)]))


def _binned(
    codes: Float[Tensor, "n d"], test_codes: Float[Tensor, "m d"], bins: int
) -> Int[Tensor, "d nm"]:
    """The bin of each row, train rows first, latent by latent; edges are of the train rows."""
    latents = torch.cat([codes, test_codes]).T.contiguous()
    columns = [torch.bucketize(row, _edges(row[: len(codes)], bins)) for row in latents]
    return torch.stack(columns).to(torch.uint8)


def _edges(code: Float[Tensor, "n"], bins: int) -> Float[Tensor, "e"]:
    """At most `bins` - 1 cuts midway between values: all there are, or those at equal shares."""
    values = code.unique()
    below, above = values[:-1], values[1:]
    if len(values) > bins:
        ranked = code.sort().values
        rank = torch.arange(1, bins, device=code.device) * len(code) // bins
        below, above = ranked[rank - 1], ranked[rank]
    middle = below + (above - below) / 2
    # A value on an edge is below it, so neighbouring floats are parted by the smaller.
    return torch.where(middle < above, middle, below).unique()


def _classes(factors: Int[Tensor, "n k"]) -> tuple[list[Tensor], Float[Tensor, "c n"]]:
    """The values that each factor takes, and for each of them, 1 in the rows that have it."""
    pairs = [column.unique(return_inverse=True) for column in factors.T]
    target = torch.cat([one_hot(inverse, len(values)).T for values, inverse in pairs])
    return [values for values, _ in pairs], target.double()


def _steps(
    leaf: Int[Tensor, "c n"], target: Float[Tensor, "c n"], p: Float[Tensor, "c n"], leaves: int
) -> Float[Tensor, "c l"]:
    """Newton step of every leaf: sum of residuals over sum of p (1 - p)."""
    zero = p.new_zeros(len(leaf), leaves)
    slope = zero.scatter_add(1, leaf, target - p)
    curvature = zero.scatter_add(1, leaf, p * (1 - p))
    return torch.where(curvature > SMALLEST_CURVATURE, slope / curvature, 0)


class _Forest:
    """Grows one regression tree per class, all on the same binned latents."""

    def __init__(self, bin_of: Int[Tensor, "d m"], n: int, bins: int, depth: int) -> None:
        self.bin_of, self.n, self.bins, self.depth = bin_of, n, bins, depth
        # The train rows, by latent and then by bin, and where each bin starts.
        train = bin_of[:, :n].long()
        self.rows = train.argsort(dim=1, stable=True).flatten()
        place = train + bins * torch.arange(len(train), device=train.device)[:, None]
        counts = place.flatten().bincount(minlength=bins * len(train))
        self.starts = counts.cumsum(0) - counts

    def grow(
        self, residual: Float[Tensor, "c n"], falls: Float[Tensor, "d c"]
    ) -> Int[Tensor, "c m"]:
        """The leaf of every row, train and test; adds what each latent lowered to `falls`."""
        node = residual.new_zeros(len(residual), self.bin_of.shape[1], dtype=torch.uint8)
        # What is summed in every bin: the residuals, and how many they are.
        columns = torch.stack([residual.T, torch.ones_like(residual.T)], 1)
        table = self._below(columns)[:, None]
        for level in range(self.depth):
            if level:
                at = node[:, : self.n].T.contiguous()[:, None]
                left = [self._below(columns * (at == 2 * i)) for i in range(2 ** (level - 1))]
                left = torch.stack(left, 1)
                table = torch.stack([left, table - left], 2).flatten(1, 2)
            latent, cut = _best_splits(table, falls)
            node = 2 * node + self._beyond(node, latent, cut)
        return node.long()

    def _below(self, columns: Float[Tensor, "n 2 c"]) -> Float[Tensor, "2 d b c"]:
        """Sums over the rows in each bin or a lower one."""
        sums = embedding_bag(self.rows, columns.flatten(1), self.starts, mode="sum")
        sums = sums.view(-1, self.bins, *columns.shape[1:])
        return sums.cumsum(1).movedim(2, 0)

    def _beyond(
        self, node: Int[Tensor, "c m"], latent: Int[Tensor, "i c"], cut: Int[Tensor, "i c"]
    ) -> Int[Tensor, "c m"]:
        """1 where a row lies right of the cut of its node, else 0."""
        right = torch.zeros_like(node)
        for i in range(len(latent)):
            beyond = self.bin_of[latent[i]] > cut[i, :, None]
            right += beyond & (node == i)
        return right


def _best_splits(
    table: Float[Tensor, "2 i d b c"], falls: Float[Tensor, "d c"]
) -> tuple[Int[Tensor, "i c"], Int[Tensor, "i c"]]:
    """Latent and last bin on the left of the split that lowers the squared error most."""
    (sums, counts), (total, count) = table, table[..., -1:, :]
    fall = (sums * count - counts * total).square_() / (counts * (count - counts) * count)
    # Nothing falls where one side is empty: 0 / 0.
    best, cut = fall.nan_to_num_(0, 0, 0).max(-2)
    most = best.amax(1, keepdim=True)
    tied = (best >= most * SAME_FALL) & (best > SMALLEST_FALL)
    falls += (most * tied / tied.sum(1, keepdim=True).clamp(min=1)).sum(0)
    latent = tied.to(torch.uint8).argmax(1)
    return latent, cut.gather(1, latent[:, None])[:, 0].to(torch.uint8)
