# SPDX-License-Identifier: Apache-2.0
"""Which runs are compared, what of them, and what several evaluations leave in one record."""

from typing import Any

import pytest
import torch
import yaml

from disent.codes import CodeTable
from disent.evaluation import Options, evaluate_runs
from disent.evaluation import run as run_module
from disent.evaluation.between import KINDS, Kept, _settings_but_seed, compare, keep
from disent.metrics import udr
from disent.runs import RunDir
from tests.cli.small import QUIET, fit
from tests.tiny import Squares

DATA = Squares()
SAMPLED = Options(["udr"], codes="sampled")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Two runs that differ in the seed alone."""
    folder = tmp_path_factory.mktemp("two")
    for name, seed in {"a": "0", "b": "1"}.items():
        assert fit(folder, "--run", name, *QUIET, "--seed_everything", seed) == 0
    return [folder / name for name in ("a", "b")]


def scored(runs, options: Options) -> dict[str, dict[str, Any]]:
    """The scores of each run, by its path."""
    found = {}
    for path, record in evaluate_runs(runs, options):
        assert isinstance(record, dict)
        found[path] = record["scores"]
    return found


def test_runs_do_not_agree_on_the_noise_of_their_samples(two):
    nothing = CodeTable(torch.zeros(128, 10), torch.zeros(128, 10), DATA.grid)
    kept = [keep(run, nothing, DATA, SAMPLED, 60) for run in two]
    codes = torch.stack([run.codes["trained"] for run in kept if run.codes])
    assert udr(codes, torch.ones(2, 10)).max() < 0.1  # the same noise twice would score 0.9


def test_untrained_codes_are_samples_where_the_trained_are(two):
    table = CodeTable(torch.zeros(128, 10), torch.zeros(128, 10), DATA.grid)
    both = [keep(two[0], table, DATA, options, 60).codes for options in (Options(["udr"]), SAMPLED)]
    means, samples = (codes["untrained"] for codes in both if codes)
    # an encoder that was not trained has logvars near 0
    assert (samples - means).std() == pytest.approx(1, abs=0.1)


def test_the_record_states_the_seed_of_the_noise(two):
    for seed, scores in enumerate(scored(two, SAMPLED).values()):
        assert scores["udr.sampled"]["noise_seed"] == 1 + seed


def test_a_run_evaluated_alone_keeps_what_was_found_with_others(two):
    options = Options(["udr"])
    found = scored(two, options)[str(two[0])]["udr"]
    assert found["value"] is not None
    assert scored(two[:1], options)[str(two[0])]["udr"] == found


def test_a_run_named_twice_counts_once(two):
    again = two[0].parent / "b" / ".." / "a"
    found = scored([two[0], again], Options(["udr"], points=64))
    assert list(found) == [str(two[0])]
    assert found[str(two[0])]["udr"]["value"] is None


def test_points_are_compared_by_no_score_of_rates(tmp_path):
    runs = [RunDir(tmp_path / name) for name in ("a", "b")]
    codes: dict[str, torch.Tensor] = {kind: torch.eye(3) for kind in KINDS}
    for run in runs:
        run.write_scores({"scores": {}})
    kept = [Kept(run.path, "alike", codes, None, 3, "three", 0) for run in runs]
    compare(kept, {"udr": udr}, Options(["udr"]))
    for run in runs:
        entry = run.read_scores()["scores"]["udr"]
        assert entry["value"] is None
        assert "udr wants `rates_of_runs`" in entry["reason"]


def test_runs_trained_to_other_steps_are_not_alike(two):
    table = CodeTable(torch.zeros(128, 10), torch.zeros(128, 10), DATA.grid)
    a, b = (keep(run, table, DATA, SAMPLED, 60).alike for run in two)
    assert a == b
    assert a != keep(two[0], table, DATA, SAMPLED, 40).alike


@pytest.mark.parametrize(
    ("trainer", "alike"),
    [
        ({"accelerator": "cuda", "devices": 4, "enable_progress_bar": False}, True),
        ({"precision": "bf16-mixed"}, False),
        ({"gradient_clip_val": 1.0}, False),
        ({"max_steps": 61}, False),
    ],
)
def test_what_trains_otherwise_is_another_setting_and_what_runs_elsewhere_is_not(
    trainer, alike, two, tmp_path
):
    config = yaml.safe_load(RunDir(two[0]).config.read_text())
    config["trainer"] |= trainer
    other = RunDir(tmp_path)
    other.config.write_text(yaml.safe_dump(config))
    assert (_settings_but_seed(other) == _settings_but_seed(RunDir(two[0]))) == alike


def test_a_run_of_an_older_version_is_compared_with_those_of_now(two, tmp_path):
    config = yaml.safe_load(RunDir(two[0]).config.read_text())
    for name in ("size", "posterior"):
        del config["model"]["init_args"][name]
    older = RunDir(tmp_path)
    older.config.write_text(yaml.safe_dump(config))
    assert _settings_but_seed(older) == _settings_but_seed(RunDir(two[1]))
    config["model"]["init_args"]["posterior"] = "full"
    older.config.write_text(yaml.safe_dump(config))
    assert _settings_but_seed(older) != _settings_but_seed(RunDir(two[1]))


def test_a_score_evaluated_anew_leaves_nothing_of_its_failure(two):
    options = Options(["mig"])
    scored(two[:1], options)
    run = RunDir(two[0])
    record = run.read_scores()
    failed = {"value": None, "reason": "too few images"}
    record["scores"] |= {"sap": failed, "infomec": failed}
    run.write_scores(record)
    (scores,) = scored(two[:1], Options(["infomec"])).values()
    assert {"mig", "sap", "infomec.modularity"} <= set(scores)
    assert "infomec" not in scores


def test_after_an_error_of_torch_the_other_runs_go_on(two, monkeypatch):
    evaluate_run = run_module.evaluate_run

    def fails(path, *arguments, **settings):
        if path == two[0]:
            raise RuntimeError("out of memory")
        return evaluate_run(path, *arguments, **settings)

    monkeypatch.setattr(run_module, "evaluate_run", fails)
    (_, error), (_, record) = evaluate_runs(two, Options(["mig"]))
    assert isinstance(error, RuntimeError)
    assert isinstance(record, dict)
