# SPDX-License-Identifier: Apache-2.0
"""The section of a run whose codes are points, and of one whose pictures have no labels."""

import json
import math
from base64 import b64decode
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from disent.figures.animation import Animation
from disent.figures.logged import panels
from disent.models import VAE
from disent.networks import Linear
from disent.report.page import write_report
from disent.report.run_section import as_json, run_section, thinned
from disent.runs import RunDir, load_runs
from disent.runs.rows import row_of
from tests.runs.study import write_run

RECORD = {
    "scores": {"mig": {"value": 0.5, "variant": "mig", "seed": 0}},
    "rate": None,
    "rates": None,
    "active_latents": None,
    "code_means": [0.0, 1.0, 0.0],
    "code_variances": [0.5, 2.0, 1.0],
    "factors": {},
    "rate_distortion": {"distortion": 3.0, "distortion_error": 0.1, "pictures": 4096},
}
# latent 1 tells all of the first factor, latent 2 half of the second
LABELLED = {
    "factors": {"size": {}, "pos_x": {}},
    "factor_entropy": [0.7, 2.0],
    "information": [[0.0, 0.7, 0.0], [0.0, 0.0, 1.0]],
}


@pytest.fixture
def run(tmp_path) -> RunDir:
    """A run that was trained on the tests' squares."""
    run = RunDir(tmp_path / "points")
    settings = {"network": {"class_path": "disent.networks.Linear"}, "latent_dim": 3}
    config = {
        "seed_everything": 0,
        "model": {"class_path": "disent.models.VAE", "init_args": settings},
        "data": {"class_path": "tests.tiny.Squares"},
    }
    run.last.parent.mkdir(parents=True)
    run.config.write_text(yaml.safe_dump(config))
    run.metrics.write_text("step,loss\n1,2.5\n2,2.0\n")
    run.write_status("finished")
    torch.save({"state_dict": VAE(network=Linear, latent_dim=3).state_dict()}, run.last)
    return run


def section(run: RunDir):
    row = load_runs(run.path.parent).iloc[0].to_dict()
    return run_section({str(name): value for name, value in row.items()}, 0)


def test_sliders_of_points_are_by_variance_each_around_its_mean(run):
    run.write_scores(RECORD | LABELLED)
    made = section(run)
    assert made.missing == []
    assert made.frames is not None
    assert [slider.name for slider in made.frames.sliders] == [
        "z1: size, variance 2.00",
        "z2: pos_x, variance 1.00",
        "z0: no factor, variance 0.50",
    ]
    assert made.frames.faint == []
    assert "standard deviations of its own code, around its mean" in made.frames.note
    assert made.frames.sliders[0].shape == "64 / 64"
    assert made.matrix == [("size", [0.0, 1.0, 0.0]), ("pos_x", [0.0, 0.0, 0.5])]


def test_a_run_without_labels_has_sliders_and_no_matrix(run):
    run.write_scores(RECORD)
    made = section(run)
    assert made.missing == []
    assert made.frames is not None
    assert len(made.frames.sliders) == 3
    assert made.matrix == []


def test_the_table_and_the_report_hold_runs_without_rates(run, tmp_path):
    run.write_scores(RECORD)
    table = load_runs(tmp_path)
    assert table["state"].tolist() == ["finished"]
    assert table["evaluated.distortion"].tolist() == [3.0]
    assert write_report(tmp_path, tmp_path / "report.html") == 1
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "aspect-ratio: 64 / 64" in text
    assert "I(factor; latent)" not in text


def test_figures_of_a_family_are_shown_and_what_is_no_picture_is_named(run, tmp_path):
    run.write_scores(RECORD)
    run.figures.mkdir(exist_ok=True)
    for name in ("traversals", "condition_label"):  # the first is drawn anew, with sliders
        Image.new("RGB", (1600, 400), (200, 40, 40)).save(run.figures / f"{name}.png")
    frames = torch.linspace(0, 1, 3).view(3, 1, 1, 1).expand(-1, -1, 8, 8)
    Animation(frames, 0.2).savefig(run.figures / "walk.gif")
    (run.figures / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n, and no more")
    made = section(run)
    assert [picture.name for picture in made.pictures] == ["condition label", "walk"]
    (told,) = made.missing
    assert "figures/torn.png cannot be shown" in told
    still, moving = (
        Image.open(BytesIO(b64decode(picture.uri.split(",")[1]))) for picture in made.pictures
    )
    assert (still.format, still.size, getattr(still, "n_frames", 1)) == ("WEBP", (1000, 250), 1)
    np.testing.assert_allclose(np.asarray(still)[100, 100], [200, 40, 40], atol=8)
    assert (moving.size, getattr(moving, "n_frames", 1)) == ((320, 320), 3)
    assert write_report(tmp_path, tmp_path / "report.html") == 1
    page = (tmp_path / "report.html").read_text()
    assert page.count('alt="condition label of points"') == 1


def test_a_film_comes_first_and_is_thinned(run):
    """Of 100 frames 24, evenly spaced, in the time of all."""
    run.write_scores(RECORD)
    Image.new("RGB", (80, 40)).save(run.figures / "codes.png")
    frames = torch.linspace(0, 1, 100).view(100, 1, 1, 1).expand(-1, -1, 8, 8)
    Animation(frames, 0.1).savefig(run.figures / "traversals_film.gif")
    film, _ = section(run).pictures
    assert film.name == "traversals film"
    with Image.open(BytesIO(b64decode(film.uri.split(",")[1]))) as shown:
        assert getattr(shown, "n_frames", 1) == 24
        shown.seek(23)
        assert np.asarray(shown.convert("L")).mean() > 250
        assert shown.info["duration"] == 416


def test_long_curves_are_thinned_and_rare_scores_kept():
    steps = range(1, 1001)
    logged = pd.DataFrame({"step": steps, "loss": [1 / 3 for _ in steps], "mig": [math.nan] * 1000})
    logged.loc[[7, 501], "mig"] = [0.25, 0.5]
    loss, mig = (thinned(panel) for panel in panels(logged))
    assert (loss["step"][0], loss["step"][-1], len(loss["step"])) == (1, 1000, 120)
    assert set(loss["lines"]["loss"]) == {0.3333}
    assert (mig["title"], mig["unit"], mig["log"]) == ("Scores and shares", "0 to 1", False)
    assert (mig["step"], mig["lines"]) == ([8, 502], {"mig": [0.25, 0.5]})


def test_json_in_a_page_cannot_end_its_element():
    text = as_json({"name": "</script><script>alert(1)</script>"})
    assert "<" not in text
    assert json.loads(text) == {"name": "</script><script>alert(1)</script>"}


def test_a_report_leaves_the_folder_of_a_run_as_it_is(tmp_path):
    run = write_run(tmp_path, 0, logged=3)
    before = sorted(run.path.rglob("*"))
    run_section(row_of(run), 1)
    assert sorted(run.path.rglob("*")) == before
