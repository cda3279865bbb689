# SPDX-License-Identifier: Apache-2.0
"""An evaluation as the terminal shows it."""

import pytest

from disent.report.terminal import print_scores

SCORE = {
    "value": 0.5,
    "spread": 0.1,
    "protocol": {"value": 0.4, "spread": 0.012},
    "untrained": 0.2,
    "pca": 0.25,
    "chance": None,
    "baseline_points": 44_352,
}
FACTOR = {
    "linear_r2": 0.75,
    "single_r2": 0.5,
    "single_r2_latent": 3,
    "information": 0.125,
    "information_latent": 1,
}


def printed(capsys, **more) -> str:
    record = {"points": 737_280, "scores": {"mig": SCORE}, "factors": {"shape": FACTOR}}
    record |= {"rate": 9.06, "active_latents": 3, "rate_distortion": {}}
    print_scores("runs/a", record | more)
    return capsys.readouterr().out


def test_spreads_stand_right_of_what_they_are_of(capsys):
    lines = printed(capsys).splitlines()
    assert ["score", "value", "+-", "10k", "points", "+-", "untrained", "PCA"] in map(
        str.split, lines
    )
    assert ["mig", "0.500", "0.100", "0.400", "0.012", "0.200", "0.250"] in map(str.split, lines)


def test_numbers_are_not_cut_off_on_a_narrow_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    name = "gaussian_wasserstein_correlation.sampled"
    out = printed(capsys, scores={name: SCORE | {"chance": 0.125}})
    line = [name, "0.500", "0.100", "0.400", "0.012", "0.200", "0.250", "0.125"]
    assert line in map(str.split, out.splitlines())


@pytest.mark.parametrize(
    ("points", "title"),
    [
        (737_280, "Scores on 737,280 pictures; baselines on 44,352, a thinned grid"),
        (44_352, "Scores on 44,352 pictures"),
    ],
)
def test_the_title_says_where_baselines_are_of_fewer_pictures(points, title, capsys):
    assert title in printed(capsys, points=points).splitlines()


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_numbers_that_do_not_exist_leave_their_cells_empty(missing, capsys):
    factor = FACTOR | dict.fromkeys(("linear_r2", "single_r2", "information"), missing)
    place = dict.fromkeys(("distortion", "total", "mutual_information"), missing)
    scores = {"mig": SCORE | {"spread": missing}}
    more = {"factors": {"shape": factor}, "rate": missing, "rate_distortion": place}
    out = printed(capsys, scores=scores, **more)
    assert ["shape"] in map(str.split, out.splitlines())
    assert "rate ? nats per image" in out
    assert "nan" not in out
