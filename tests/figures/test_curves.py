# SPDX-License-Identifier: Apache-2.0
"""What the training curves hold: the logged values at their steps, in nats, by name."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from disent.figures import curves

METRICS = pd.DataFrame(
    {
        "step": [10, 20, 30],
        "loss": [9.0, 6.0, 5.0],
        "distortion": [7.0, 3.0, 2.0],
        "rate": [1.0, 1.5, 1.5],
        "elbo": [-8.0, -4.5, -3.5],
        "capacity": [1.0, 2.0, 3.0],
        "active_latents": [1.0, 2.0, 2.0],
        "rate_0": [0.5, 0.4, 0.05],
        "rate_1": [0.2, 0.4, 0.45],
        "rate_10": [0.3, 0.7, 1.0],
    }
)


def lines(axes: Axes) -> dict[str, tuple[list[float], list[float]]]:
    drawn = {str(line.get_label()): np.asarray(line.get_xydata()).T.tolist() for line in axes.lines}
    return {label: (xy[0], xy[1]) for label, xy in drawn.items() if label[0] != "_" and xy[0]}


def legend(axes: Axes) -> list[str]:
    shown = axes.get_legend()
    assert shown is not None
    return [text.get_text() for text in shown.get_texts()]


def test_terms_and_rate_are_drawn_at_their_steps():
    terms, rate, _ = curves(METRICS).axes
    steps = [10, 20, 30]
    assert lines(terms) == {
        "loss": (steps, [9, 6, 5]),
        "negative ELBO": (steps, [8, 4.5, 3.5]),
        "distortion": (steps, [7, 3, 2]),
    }
    assert lines(rate) == {"rate": (steps, [1, 1.5, 1.5]), "capacity": (steps, [1, 2, 3])}
    assert all(axes.get_xlabel() == "step" for axes in (terms, rate))
    assert (terms.get_ylabel(), rate.get_ylabel()) == (
        "nats per image, log scale",
        "nats per image",
    )


def test_latents_are_listed_by_last_rate_and_faint_ones_counted():
    latents = curves(METRICS).axes[2]
    assert legend(latents) == ["z10", "z1", "1 faint"]
    assert lines(latents)["z10"] == ([10, 20, 30], [0.3, 0.7, 1.0])
    assert len({(line.get_color(), line.get_linestyle()) for line in latents.lines}) == 3


def test_many_latents_look_different():
    metrics = pd.DataFrame({"step": [1, 2], **{f"rate_{j}": [1.0, 2.0] for j in range(20)}})
    (latents,) = curves(metrics).axes
    assert len({(line.get_color(), line.get_linestyle()) for line in latents.lines}) == 20


def test_a_negative_distortion_gets_a_linear_scale():
    terms = curves(METRICS.assign(distortion=[7.0, 3.0, -2.0])).axes[0]
    assert (terms.get_yscale(), terms.get_ylabel()) == ("linear", "nats per image")
    assert curves(METRICS).axes[0].get_yscale() == "log"


def test_empty_cells_and_missing_columns_are_left_out():
    metrics = METRICS[["step", "loss", "rate", "capacity"]].assign(
        loss=[9.0, np.nan, 5.0], capacity=np.nan
    )
    terms, rate = curves(metrics).axes
    assert lines(terms) == {"loss": ([10, 30], [9, 5])}
    assert list(lines(rate)) == ["rate"]


@pytest.mark.parametrize(
    "metrics", [METRICS[["loss", "rate"]], METRICS[["step", "active_latents"]], METRICS[:0]]
)
def test_refuses_a_table_without_curves(metrics):
    with pytest.raises(ValueError, match=r"metrics\.csv"):
        curves(metrics)


def test_the_table_is_left_as_it_came():
    before = METRICS.copy()
    curves(METRICS)
    pd.testing.assert_frame_equal(METRICS, before)


def test_every_kind_of_value_has_its_panel_and_unit():
    other = METRICS[["step", "loss", "rate_0"]].assign(
        total_correlation=[0.1, 0.2, 0.3],
        discriminator_loss=[0.7, 0.6, 0.5],
        discriminator_accuracy=[0.5, 0.6, 0.7],
        squared_error=[90.0, 60.0, 50.0],
        squared_error_per_pixel=[0.9, 0.6, 0.5],
        images_per_second=[1e4, 1e4, 1e4],
        mig=[0.1, np.nan, 0.2],
        code_error=[3.0, 2.0, 1.5],
    )
    found = {axes.get_title(loc="left"): axes for axes in curves(other).axes}
    assert {title: axes.get_ylabel() for title, axes in found.items()} == {
        "Loss": "loss, log scale",
        "Rate of each latent": "nats per image",
        "Total correlation": "nats per image",
        "Accuracy": "share that is right",
        "Losses of the players": "nats",
        "Squared error": "squared, mean over pixels",
        "Scores and shares": "0 to 1",
        "code_error": "code_error",
    }
    assert lines(found["Scores and shares"]) == {"mig": ([10, 30], [0.1, 0.2])}


def test_legends_lie_beside_the_panels():
    figure = curves(METRICS)
    figure.canvas.draw()
    for axes in figure.axes:
        shown = axes.get_legend()
        assert shown is not None
        assert shown.get_window_extent().x0 >= axes.get_window_extent().x1
