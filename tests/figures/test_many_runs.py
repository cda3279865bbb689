# SPDX-License-Identifier: Apache-2.0
"""Figures over many runs, by what they contain."""

import numpy as np
import pandas as pd
import pytest

from disent.figures import (
    information_bounds,
    rate_distortion_plane,
    score_against_strength,
    variance_bars,
)

RUNS = pd.DataFrame(
    {
        "objective": ["BetaVAE"] * 4 + ["AnnealedVAE"] * 2,
        "strength": [4.0, 4.0, 1.0, 1.0, 25.0, 25.0],
        "setting": ["beta 4"] * 2 + ["beta 1"] * 2 + ["C 25"] * 2,
        "rate": [9.0, 11.0, 20.0, 22.0, 25.0, 25.0],
        "distortion": [60.0, 64.0, 30.0, 34.0, 80.0, 84.0],
        "mig": [0.2, 0.3, 0.1, 0.1, 0.5, np.nan],
    }
)


def lines(axes):
    """The lines drawn, by their label."""
    return {line.get_label(): line for line in axes.lines}


def points(line):
    """Its points, [n, 2]."""
    return np.asarray(line.get_xydata())


def widths(axes):
    """Of the bars, part by part."""
    return [bar.get_width() for bars in axes.containers for bar in bars]


def texts(axes):
    return [text.get_text() for text in axes.texts]


class TestRateDistortionPlane:
    def test_means_of_settings_are_joined_in_the_order_of_their_strength(self):
        (axes,) = rate_distortion_plane(RUNS).axes
        line = lines(axes)["BetaVAE (mean of each setting)"]
        assert points(line).tolist() == [[21.0, 32.0], [10.0, 62.0]]
        assert {"beta 1", "beta 4", "C 25"} <= set(texts(axes))

    def test_every_run_is_a_point(self):
        (axes,) = rate_distortion_plane(RUNS).axes
        points = np.concatenate([scatter.get_offsets() for scatter in axes.collections])
        assert sorted(map(tuple, points)) == sorted(
            map(tuple, RUNS[["rate", "distortion"]].to_numpy())
        )

    def test_the_entropy_line_joins_the_two_limits(self):
        (axes,) = rate_distortion_plane(RUNS, entropy=13.5).axes
        line = lines(axes)["rate + distortion = H(x) = 13.50"]
        assert points(line).tolist() == [[0.0, 13.5], [13.5, 0.0]]
        assert {"auto-encoding limit", "auto-decoding limit"} <= set(texts(axes))

    def test_lines_of_equal_elbo_are_named_by_it(self):
        (axes,) = rate_distortion_plane(RUNS).axes
        dotted = [line for line in axes.lines if line.get_linestyle() == ":"]
        sums = [set(np.round(points(line).sum(1), 6)) for line in dotted if len(points(line))]
        assert all(len(total) == 1 for total in sums)
        assert "-80" in texts(axes)

    def test_what_cannot_be_drawn_says_why(self):
        with pytest.raises(ValueError, match="no column 'distortion'"):
            rate_distortion_plane(RUNS.drop(columns="distortion"))
        with pytest.raises(ValueError, match="no run has a rate"):
            rate_distortion_plane(RUNS.assign(rate=np.nan))


class TestScoreAgainstStrength:
    def test_every_seed_is_visible_and_settings_are_in_order(self):
        annealed, beta = score_against_strength(RUNS, "mig").axes
        assert [label.get_text() for label in beta.get_xticklabels()] == ["1", "4"]
        drawn = np.concatenate([points(line) for line in beta.lines])
        assert sorted(drawn[:, 1]) == [0.1, 0.1, 0.2, 0.3]
        assert len({round(x, 6) for x, _ in drawn}) == 4  # side by side, none hidden
        assert sum(len(points(line)) for line in annealed.lines) == 1

    def test_means_intervals_and_baselines_are_drawn(self):
        means = pd.DataFrame(
            {"objective": ["BetaVAE"] * 2, "strength": [4.0, 1.0], "mean": [0.25, 0.1]}
        ).assign(low=[0.2, np.nan], high=[0.3, np.nan])
        _, axes = score_against_strength(RUNS, "mig", means=means, baselines={"pca": 0.04}).axes
        (mean,) = [
            line for line in axes.lines if len(points(line)) == 2 and line.get_marker() == "D"
        ]
        assert points(mean).tolist() == [[0, 0.1], [1, 0.25]]
        assert points(lines(axes)["pca"])[0, 1] == 0.04

    def test_a_score_that_no_run_has_is_an_error(self):
        with pytest.raises(ValueError, match="evaluate the runs first"):
            score_against_strength(RUNS.assign(sap=np.nan), "sap")


class TestInformationBounds:
    def test_the_three_curves_are_the_bounds(self):
        runs = RUNS.assign(
            **{"evaluated.rate": RUNS["rate"], "evaluated.distortion": RUNS["distortion"]},
            **{"evaluated.mutual_information": RUNS["rate"] - 1},
        )
        _, axes = information_bounds(runs, entropy=13.5).axes
        found = {name: points(line)[:, 1].tolist() for name, line in lines(axes).items()}
        assert found["R, upper bound of I_rep"] == [21.0, 10.0]
        assert found["I(x; z)"] == [20.0, 9.0]
        assert found["I_gen = H(x) \N{MINUS SIGN} D, lower bound"] == [-18.5, -48.5]


class TestVarianceBars:
    def test_parts_fill_the_bar(self):
        shares = {"objective": 0.1, "strength": 0.5, "seed": 0.4}
        (axes,) = variance_bars({"mig": shares}).axes
        assert widths(axes) == pytest.approx([0.1, 0.5, 0.4])
        assert texts(axes) == ["10", "50", "40"]

    def test_a_negative_share_is_nothing(self):
        shares = {"objective": -0.25, "strength": 0.25, "seed": 1.0}
        (axes,) = variance_bars({"mig": shares}).axes
        assert widths(axes) == pytest.approx([0, 0.2, 0.8])

    def test_no_score_is_an_error(self):
        with pytest.raises(ValueError, match="no score"):
            variance_bars({})
