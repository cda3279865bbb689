# SPDX-License-Identifier: Apache-2.0
"""What holds for every score of the room: a new member is tested the day it is listed."""

import inspect
import json

import pytest
import torch
from torch import Tensor

from disent import metrics
from disent.grid import FactorGrid
from disent.metrics.base import settings, wants

SCORES = {name: getattr(metrics, name) for name in metrics.__all__}
GRID = FactorGrid(("a", "b", "c"), (3, 4, 5))
PERFECT = GRID.all_factors().float()
RANDOM = torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
CODES = {
    "perfect": PERFECT,
    "permuted": PERFECT[:, [2, 0, 1]],
    "constant": torch.zeros(60, 3),
    "one dead latent": torch.cat([PERFECT[:, :2], torch.zeros(60, 1)], dim=1),
    "duplicated": PERFECT.repeat(1, 2),
    "a single latent": PERFECT[:, :1],
    "random": RANDOM,
}


@pytest.fixture(params=SCORES)
def score(request):
    """A score as a function of codes alone, with the factors or grid of the test filled in."""
    member = SCORES[request.param]
    rest = GRID if "grid" in wants(member) else GRID.all_factors()
    return lambda codes: member(codes, rest)


@pytest.mark.parametrize("name", SCORES)
def test_signature_tells_what_the_score_wants(name):
    first, second, *others = inspect.signature(SCORES[name]).parameters.values()
    assert first.name == "codes"
    assert second.name in ("factors", "grid")
    assert all(p.kind is p.KEYWORD_ONLY and p.default is not p.empty for p in others)
    assert json.loads(json.dumps(settings(SCORES[name]))) == settings(SCORES[name])
    assert ("seed" in settings(SCORES[name])) == ("grid" in wants(SCORES[name]))


@pytest.mark.parametrize("name", SCORES)
def test_docstring_gives_sources_and_an_example(name):
    doc = inspect.getdoc(SCORES[name]) or ""
    for part in ("Args:", "Returns:", "References:", "https://", ">>> "):
        assert part in doc


@pytest.mark.parametrize("name", CODES)
def test_score_is_a_float64_scalar_in_range(score, name):
    value = score(CODES[name])
    assert value.shape == ()
    assert value.dtype == torch.float64
    assert 0 <= value <= 1 + 1e-12


def test_a_perfect_code_beats_a_random_and_a_constant_one(score):
    assert score(PERFECT) > score(RANDOM) + 0.1
    assert score(PERFECT) > score(CODES["constant"]) + 0.1


def test_order_of_latents_does_not_matter(score):
    torch.testing.assert_close(score(CODES["permuted"]), score(PERFECT), atol=1e-3, rtol=0)
    torch.testing.assert_close(score(RANDOM.flip(1)), score(RANDOM), atol=1e-3, rtol=0)


def test_float32_and_float64_codes_agree(score):
    torch.testing.assert_close(score(RANDOM.double()), score(RANDOM), atol=1e-9, rtol=0)


def test_score_repeats_and_leaves_its_input_and_the_global_generator_alone(score):
    codes, state = RANDOM.clone(), torch.get_rng_state()
    first = score(codes)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    assert torch.equal(score(codes), first)
    assert torch.equal(codes, RANDOM)
    torch.set_rng_state(state)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_codes_that_are_not_finite_are_refused(score, value):
    codes = PERFECT.clone()
    codes[7, 2] = value
    with pytest.raises(ValueError, match=r"1 values that are NaN or infinite, in columns \[2\]"):
        score(codes)


@pytest.mark.parametrize("codes", [PERFECT[:-1], PERFECT[:, 0]])
def test_codes_of_another_shape_are_refused(score, codes: Tensor):
    with pytest.raises(ValueError, match=r"codes has (59 rows|shape \[)"):
        score(codes)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_and_cpu_agree(score):
    member_on_cpu = score(RANDOM)
    on_gpu = score(RANDOM.cuda())
    assert on_gpu.is_cuda
    torch.testing.assert_close(on_gpu.cpu(), member_on_cpu, atol=1e-9, rtol=0)
