# SPDX-License-Identifier: Apache-2.0
"""How much each latent tells about each factor, as the importances of boosted trees."""

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from disent.metrics.samples import Sample, varying
from disent.metrics.solvers.boosting import boost


class Learnt(NamedTuple):
    """What a classifier of each factor made of the latents; float64.

    Attributes:
        importance: Float[d, k], >= 0; a column sums to 1, or is 0 where no latent is of use.
        train: Float[k], share of train rows whose factor value is predicted rightly.
        test: Float[k], the same of test rows.
    """

    importance: Float[Tensor, "d k"]
    train: Float[Tensor, "k"]
    test: Float[Tensor, "k"]


def learn(train: Sample, test: Sample, *, model: str = "fast", seed: int = 0) -> Learnt:
    """Fits a classifier to each factor that varies in the train rows.

    Args:
        train: Codes and factors to learn from.
        test: Others, to predict.
        model: "fast", `disent.metrics.solvers.boosting.boost` with its defaults; or
            "gradient_boosting", scikit-learn's GradientBoostingClassifier with its defaults, on the
            processor.
        seed: Of the latter's choice between splits equally good.
    Raises:
        ValueError: No factor varies, or the model is none of these.
    Example:
        >>> sample = Sample(torch.tensor([[0.0, 3.0], [1.0, 3.0]]), torch.tensor([[0], [1]]))
        >>> learn(sample, sample).importance.flatten()
        tensor([1., 0.], dtype=torch.float64)
    """
    columns = varying(train.factors)
    train, test = (Sample(part.codes.double(), part.factors[:, columns]) for part in (train, test))
    if model == "gradient_boosting":
        return _reference(train, test, seed)
    if model != "fast":
        raise ValueError(f'got model={model!r}. There are "fast" and "gradient_boosting".')
    learnt = boost(train.codes, train.factors, test.codes)
    right = [learnt.train == train.factors, learnt.test == test.factors]
    return Learnt(learnt.importance, *(part.double().mean(0) for part in right))


def _reference(train: Sample, test: Sample, seed: int) -> Learnt:
    """One GradientBoostingClassifier a factor; threads do not change what it learns."""
    from sklearn.ensemble import GradientBoostingClassifier  # loading it takes a second

    x, y, new_x, new_y = (part.cpu().numpy() for part in (*train, *test))

    def one(k: int) -> tuple[Tensor, float, float]:
        model = GradientBoostingClassifier(random_state=seed).fit(x, y[:, k])
        accuracy, new_accuracy = model.score(x, y[:, k]), model.score(new_x, new_y[:, k])
        return torch.from_numpy(model.feature_importances_), float(accuracy), float(new_accuracy)

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        importance, *accuracies = zip(*pool.map(one, range(y.shape[1])), strict=True)
    device = train.codes.device
    right = torch.tensor(accuracies, dtype=torch.float64, device=device)
    return Learnt(torch.stack(importance, 1).to(device), *right)
