# SPDX-License-Identifier: Apache-2.0
"""What holds for every score of the room: a new member is tested the day it is listed."""

import inspect
import json
import math
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor

from disent import metrics
from disent.grid import FactorGrid
from disent.metrics.base import numbers, settings, wants
from disent.metrics.elbo_decomposition import Decomposition

SCORES = {name: getattr(metrics, name) for name in metrics.__all__}
INPUTS = {"codes", "factors", "grid", "means", "logvars", "codes_of_runs", "rates_of_runs"}
INPUTS |= {"log_weights"}
# scores of one model that say how well codes tell factors; the others count or compare
WITH_LABELS = [n for n in SCORES if {"factors", "grid"} & set(wants(SCORES[n]))]
# it learns many times over
EACH, EACH_WITH_LABELS = (
    [pytest.param(n, marks=pytest.mark.slow) if n == "downstream" else n for n in names]
    for names in (SCORES, WITH_LABELS)
)
WITHOUT_RANGE = {"active_units", "gaussian_total_correlation", "mutual_info_score"}
EFFICIENCIES = {f"downstream.efficiency_{rows}" for rows in (100, 1000)}
WITHOUT_RANGE |= EFFICIENCIES
SIGNED = {"log_likelihood"}  # without any range
# parts of the rate: in nats, and at least 0 but for the errors of their estimation
SIGNED |= {f"elbo_decomposition.{part}" for part in Decomposition._fields}
# the numbers that a perfect code does not lead: an axis of one factor is not one cut of a line
NOT_LEADING = {"sap", "irs"}
# on 60 points the drawn test rows are train rows too, so that any code's factors are known by heart
BY_HEART = {"dci.informativeness"}
# what a code that tells nothing has too: it is fair, and as little is learnt of it from few rows
NOT_LEADING_CHANCE = EFFICIENCIES | {"fairness", "downstream.accuracy_10"}
GRID = FactorGrid(("a", "b", "c"), (3, 4, 5))
PERFECT = GRID.all_factors().float()
RANDOM = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
FAST = {"train": 500, "test": 300}  # in place of the field's 10,000 and 5,000
MORE = {"downstream": {"train": 1000}}  # where 500 are too few
CODES = {
    "perfect": PERFECT,
    "permuted": PERFECT[:, [2, 0, 1]],
    "constant": torch.zeros(60, 3),
    "one dead latent": torch.cat([PERFECT[:, :2], torch.zeros(60, 1)], dim=1),
    "duplicated": PERFECT.repeat(1, 2),
    "a single latent": PERFECT[:, :1],
    "random": RANDOM,
}


def fast(name: str) -> dict[str, int]:
    """Settings with which a score is quick."""
    return {k: v for k, v in (FAST | MORE.get(name, {})).items() if k in settings(SCORES[name])}


def evaluate(name: str, codes: Tensor, factors_on: str | None = None) -> dict[str, Tensor]:
    """A score's numbers, with everything but the codes filled in, on their device."""
    member = SCORES[name]
    given = {
        "codes": codes,
        "factors": GRID.all_factors().to(factors_on or codes.device),
        "grid": GRID,
        "means": codes,
        "logvars": torch.full_like(codes, -4.0),
        "codes_of_runs": torch.stack([codes, codes.flip(1) + 0.1 * RANDOM[:, :1].to(codes)]),
        "rates_of_runs": torch.ones(2, codes.shape[1], device=codes.device),
        "log_weights": codes,
    }
    value = member(*(given[want] for want in wants(member)), **fast(name))
    return (
        {name: value}
        if isinstance(value, Tensor)
        else {f"{name}.{field}": part for field, part in value._asdict().items()}
    )


@pytest.fixture(params=EACH)
def score(request):
    return partial(evaluate, request.param)


@pytest.mark.parametrize("name", EACH)
def test_signature_tells_what_the_score_wants(name):
    parameters = inspect.signature(SCORES[name]).parameters.values()
    given = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    assert {p.name for p in given} <= INPUTS
    assert all(p.default is p.empty for p in given)
    assert all(p.default is not p.empty for p in parameters if p.kind is p.KEYWORD_ONLY)
    assert json.loads(json.dumps(settings(SCORES[name]))) == settings(SCORES[name])
    assert ("train" in settings(SCORES[name])) <= ("seed" in settings(SCORES[name]))


@pytest.mark.parametrize("name", EACH)
def test_docstring_gives_sources_and_an_example(name):
    doc = inspect.getdoc(SCORES[name]) or ""
    for part in ("Args:", "Returns:", "Raises:", "References:", "https://", ">>> "):
        assert part in doc


@pytest.mark.parametrize("name", CODES)
def test_numbers_are_float64_and_in_their_range(score, name):
    for number, value in score(CODES[name]).items():
        assert value.dtype == torch.float64
        assert value.ndim == (1 if number == "udr" else 0)
        if number == "infomec.compactness" and value.isnan():  # of one active latent
            assert name in ("a single latent", "constant")
            continue
        assert number in SIGNED or (value >= 0).all()
        assert number in WITHOUT_RANGE | SIGNED or (value <= 1 + 1e-9).all()


@pytest.mark.parametrize("name", EACH_WITH_LABELS)
def test_a_perfect_code_beats_a_random_and_a_constant_one(name):
    perfect, random, constant = (evaluate(name, c) for c in (PERFECT, RANDOM, CODES["constant"]))
    for number, value in perfect.items():
        if number in NOT_LEADING_CHANCE:
            continue
        gap = 0.0 if name in NOT_LEADING else 0.1
        assert number in BY_HEART or value > random[number] + gap
        assert value > constant[number] + gap or constant[number].isnan()


def test_order_of_latents_does_not_matter(score):
    for codes in (PERFECT, RANDOM):
        for number, value in score(codes.flip(1)).items():
            torch.testing.assert_close(
                value, score(codes)[number], atol=2e-3, rtol=0, equal_nan=True
            )


def test_float32_and_float64_codes_agree(score):
    for number, value in score(RANDOM.double()).items():
        torch.testing.assert_close(value, score(RANDOM)[number], atol=1e-6, rtol=0)


def test_score_repeats_and_leaves_its_input_and_the_global_generator_alone(score):
    codes, state = RANDOM.clone(), torch.get_rng_state()
    first = score(codes)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    again = score(codes)
    assert all(torch.equal(again[number], value) for number, value in first.items())
    assert torch.equal(codes, RANDOM)
    torch.set_rng_state(state)


@pytest.mark.parametrize("name", EACH)
def test_arrays_of_numpy_give_the_same_as_tensors(name):
    """Read-only ones too, in the other byte order, and with the columns stored first."""
    given = _given(name, RANDOM)
    arrays = [table if isinstance(table, FactorGrid) else _awkward(table) for table in given]
    ours, theirs = SCORES[name](*arrays, **fast(name)), SCORES[name](*given, **fast(name))
    for number, value in numbers_of(ours).items():
        assert isinstance(value, Tensor)
        torch.testing.assert_close(value, numbers_of(theirs)[number], atol=0, rtol=0)


def numbers_of(value) -> dict[str, Tensor]:
    return {"": value} if isinstance(value, Tensor) else value._asdict()


def _awkward(table: Tensor) -> np.ndarray:
    array = np.asfortranarray(table.numpy())
    array = array.astype(array.dtype.newbyteorder())
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_codes_that_are_not_finite_are_refused(score, value):
    codes = PERFECT.clone()
    codes[7, 2] = value
    with pytest.raises(ValueError, match=r"values that are NaN or infinite, in columns \["):
        score(codes)


@pytest.mark.parametrize("name", EACH_WITH_LABELS)
@pytest.mark.parametrize("codes", [PERFECT[:-1], PERFECT[:, 0]])
def test_codes_of_another_shape_are_refused(name, codes: Tensor):
    member = SCORES[name]
    given = {"factors": GRID.all_factors(), "grid": GRID}
    with pytest.raises(ValueError, match=r"(codes|means) has (59 rows|shape \[)"):
        member(*(given.get(want, codes) for want in wants(member)))


@pytest.mark.parametrize("name", EACH)
def test_numbers_of_a_record_have_names(name):
    if name == "udr":  # one number for each run: the record of each run holds its own
        return
    value = SCORES[name](*_given(name), **fast(name))
    for number, entry in numbers(name, value).items():
        assert number.split(".")[0] == name
        assert isinstance(entry, float)
        assert math.isfinite(entry)


def _given(name, codes=PERFECT):
    given = {"factors": GRID.all_factors(), "grid": GRID, "logvars": torch.zeros(60, 3)}
    given |= {"codes_of_runs": torch.stack([codes, codes.flip(1)])}
    given |= {"rates_of_runs": torch.ones(2, codes.shape[1])}
    return [given.get(want, codes) for want in wants(SCORES[name])]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("factors_on", ["cuda", "cpu"])
def test_gpu_and_cpu_agree(score, factors_on):
    for number, value in score(RANDOM.cuda(), factors_on).items():
        assert value.is_cuda
        torch.testing.assert_close(value.cpu(), score(RANDOM)[number], atol=1e-6, rtol=0)
