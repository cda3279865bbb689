# SPDX-License-Identifier: Apache-2.0
"""The files of one's own that the guides show: short, and as the suite's own members are."""

import re
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from disent.cli.main import main
from disent.gaussian import DiagonalGaussian
from disent.objectives import BetaELBO
from disent.objectives.base import Terms
from disent.runs import Run, RunDir

ROOMS = Path(__file__).parents[1] / "disent"
FILES = {
    "mine.py": "models",
    "mynet.py": "networks",
    "myobjective.py": "objectives",
    "mydata.py": "data",
}
TEXT = (
    "fit --config quickstart --run own --model VAE --model.network mynet.Tiny "
    "--model.network.width 8 --model.objective myobjective.FreeBits --model.objective.free 0.2 "
    "--data mydata.Crosses --data.width 4 --loader.batch_size 8 --trainer.max_steps 10 "
    "--trainer.log_every_n_steps 5 --evaluate.metrics mig"
)
WORDS = TEXT.split()


def shown(name: str) -> str:
    """The code of a file, as the guide of its room has it."""
    guide = (ROOMS / FILES[name] / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(rf"<!-- {re.escape(name)} -->\n```python\n(.*?)```", guide, re.S)
    return code


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the four files; what is imported from it is forgotten afterwards."""
    for name in FILES:
        (tmp_path / name).write_text(shown(name), encoding="utf-8")
        monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)


@pytest.mark.parametrize("name", FILES)
def test_an_example_is_one_short_file(name):
    assert len(shown(name).splitlines()) <= 40


def test_network_objective_and_dataset_of_ones_own_train_and_are_scored(folder, capsys):
    assert main(WORDS) == 0
    run = RunDir("runs/own")
    assert {"loss", "distortion", "rate", "paid"} <= set(pd.read_csv(run.metrics))
    assert 0 <= run.read_scores()["scores"]["mig"]["value"] <= 1
    assert run.read_scores()["fingerprint"].startswith("crosses-width4")
    assert main(["evaluate", "runs/own", "--metrics", "sap"]) == 0
    assert main(["traverse", "runs/own", "--latents", "2"]) == 0
    model = Run.load("runs/own").model()
    assert type(model.network).__name__ == "Tiny"
    assert [name for name, _ in model.named_buffers() if "free" in name]


def test_the_objective_is_the_elbo_where_every_latent_pays(folder):
    sys.path.append(str(folder))
    from myobjective import FreeBits  # pyright: ignore[reportMissingImports]

    q = DiagonalGaussian(torch.tensor([[1.0, 0.0], [3.0, 0.0]]), torch.zeros(2, 2))
    terms = Terms(torch.tensor([10.0, 20.0]), q.kl())
    # mean rates are (1/2 + 9/2) / 2 = 5/2 and 0: 15 + 5/2 + 0, and 15 + 5/2 + 1/2 with free nats
    assert FreeBits(0.0)(terms, 0) == BetaELBO(1.0)(terms, 0) == 17.5
    assert FreeBits(0.5)(terms, 0) == 18.0
    assert FreeBits(0.5).tell(terms)["paid"] == 1


def test_the_dataset_draws_what_its_factors_say(folder):
    sys.path.append(str(folder))
    from mydata import Crosses  # pyright: ignore[reportMissingImports]

    crosses = Crosses(width=4)
    pictures = crosses.images(torch.arange(len(crosses)))
    assert pictures.shape == (64, 1, 64, 64)
    assert pictures.dtype == torch.uint8
    # a column and a row of 4 pixels each, which share 16
    assert (pictures == 255).sum((1, 2, 3)).tolist() == [2 * 4 * 64 - 16] * 64
    place = crosses.grid.index(torch.tensor([2, 5]))
    assert pictures[place, 0, 0, 16:20].min() == 255
    assert pictures[place, 0, 40:44, 0].min() == 255
