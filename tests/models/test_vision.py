# SPDX-License-Identifier: Apache-2.0
"""A run that stands on the run of another model: it resumes, loads, and says what is missing."""

import pytest
import torch

from disent.cli.main import main
from disent.models import SCAN, load_run
from disent.runs import RunDir
from tests.tiny import Squares

OPTIONS = """
--loader.batch_size 4 --trainer.log_every_n_steps 1 --evaluate.at_end false
--pictures.at_end false --checkpoint_every_n_steps 2
""".split()  # noqa: SIM905
SYMBOLS = ["--model.width", "8", "--model.operator_width", "4"]


class Others(Squares):
    """Squares under another name: the same grid, other pictures."""

    @property
    def fingerprint(self) -> str:
        return "squares-of-others"


def fit(folder, run, *more, steps=2, data="tests.tiny.Squares"):
    words = ["--run", run, "--runs", str(folder), "--trainer.max_steps", str(steps), "--data", data]
    return main(["fit", *more, *words, *OPTIONS])


def see(folder, run="vision", model="BetaVAE", *more):
    words = ["--config", "quickstart", "--model", model, "--model.network", "Linear", *more]
    assert fit(folder, run, *words) == 0
    return str(folder / run)


def scan(folder, run, vision, **more):
    return fit(folder, run, "--config", "scan", "--model.vision", vision, *SYMBOLS, **more)


def complaint(capsys):
    """What was said at the end, which is one line."""
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("disent: error: ")
    return line


def state(folder):
    return torch.load(RunDir(folder).last, weights_only=True)["state_dict"]


def test_it_keeps_the_vision_that_it_was_trained_on(tmp_path):
    vision = see(tmp_path)
    assert scan(tmp_path, "scan", vision) == 0
    seen, kept = state(tmp_path / "vision"), state(tmp_path / "scan")
    assert all(torch.equal(kept[f"vision.{name}"], value) for name, value in seen.items())
    again = ["--again", "true", "--seed_everything", "5"]
    see(tmp_path, "vision", "BetaVAE", *again)
    assert not torch.equal(
        next(iter(state(tmp_path / "vision").values())), next(iter(seen.values()))
    )
    model = load_run(tmp_path / "scan").vision
    assert all(torch.equal(model.state_dict()[name], value) for name, value in seen.items())
    assert not any(weight.requires_grad for weight in model.parameters())


def test_a_vision_that_is_gone_is_named_with_what_to_do(tmp_path, capsys):
    vision = see(tmp_path)
    assert scan(tmp_path, "scan", vision) == 0
    (tmp_path / "vision").rename(tmp_path / "moved")
    with pytest.raises(ValueError, match=r"vision .*vision.* cannot be loaded: .*If it has moved"):
        load_run(tmp_path / "scan")
    assert scan(tmp_path, "other", vision) == 1
    error = complaint(capsys)
    assert "is not a run" in error
    assert not (tmp_path / "other").exists()
    config = RunDir(tmp_path / "scan").config
    config.write_text(config.read_text().replace(vision, str(tmp_path / "moved")))
    assert isinstance(load_run(tmp_path / "scan"), SCAN)


def test_a_vision_of_other_pictures_is_refused_before_anything_is_written(tmp_path, capsys):
    vision = see(tmp_path)
    assert scan(tmp_path, "scan", vision, data="tests.models.test_vision.Others") == 1
    error = complaint(capsys)
    assert "other pictures (squares-of-the-tests) than these (squares-of-others)" in error
    assert not (tmp_path / "scan").exists()


@pytest.mark.parametrize(
    ("model", "more", "words"),
    [
        ("AutoEncoder", [], "it holds AutoEncoder, which is no VAE"),
        ("BetaVAE", ["--model.posterior", "full"], "its BetaVAE has a full posterior"),
        ("ConditionalVAE", [], "ConditionalVAE has a diagonal posterior that depends on factors"),
    ],
)
def test_what_cannot_see_is_refused(tmp_path, capsys, model, more, words):
    vision = see(tmp_path, "vision", model, *more)
    assert scan(tmp_path, "scan", vision) == 1
    assert words in complaint(capsys)
    assert not (tmp_path / "scan").exists()


def test_a_vision_must_be_given(capsys, tmp_path):
    assert fit(tmp_path, "scan", "--config", "scan") == 1
    assert complaint(capsys) == (
        "disent: error: no vision is given. Name the folder of a VAE's finished run, such as "
        "--model.vision runs/NAME."
    )
    assert not (tmp_path / "scan").exists()


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    vision = see(tmp_path)
    assert scan(tmp_path, "whole", vision, steps=4) == 0
    assert scan(tmp_path, "parts", vision, steps=2) == 0
    config = RunDir(tmp_path / "parts").config
    config.write_text(config.read_text().replace("max_steps: 2", "max_steps: 4"))
    RunDir(tmp_path / "parts").write_status("requeued", reason="stopped by a test")
    assert scan(tmp_path, "parts", vision, steps=4) == 0
    whole, parts = state(tmp_path / "whole"), state(tmp_path / "parts")
    assert all(torch.equal(parts[name], value) for name, value in whole.items())
