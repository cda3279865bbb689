# SPDX-License-Identifier: Apache-2.0
"""Classes that will not do are answered in one line: what came, what it lacks, what there is."""

import sys
from pathlib import Path

import pytest

import disent.models
from disent.cli.main import main
from disent.config.fit import FitConfig
from disent.config.kinds import KINDS, check_classes, member_names

OWN = """
import torch
from disent.grid import FactorGrid
from disent.data.base import FactorDataset, PictureDataset
from disent.models.base import Model, Update
from disent.networks.base import Network
from disent.objectives.base import Objective
from torch import nn

class Tiny(Network):
    pass

class NoNet:
    pass

class Raises(Network):
    def __init__(self, channels, latent_dim, outputs):
        self.width = hidden

class NoArguments(Network):
    def __init__(self):
        super().__init__()

class Floats(FactorDataset):
    fingerprint, channels, grid = "none", 1, FactorGrid(("a",), (8,))
    def images(self, index):
        return torch.zeros(len(index), 64, 64)

class Bare(nn.Module):
    pass

class Half(Objective):
    pass

class NoLoss(Model):
    updates = (Update("step_loss"),)

class Pictures(PictureDataset):
    fingerprint = "none"
    def __len__(self):
        return 2
    def images(self, index):
        return index

def make():
    return 3
"""
BASE = ["--config", "quickstart", "--trainer.max_steps", "2"]
CASES = {
    # what there is not
    "--model FactorVae": ["there is no such model. Did you mean FactorVAE? The models are: AdaG"],
    "--data MPI3d": ["there is no such dataset. Did you mean MPI3D? The datasets are: Cars3D, "],
    "--model MLP": ["MLP is a network. The models are"],
    "--model own_kinds": ["Of a class in own_kinds.py the name is wanted, too: own_kinds.CLASS."],
    "--model.likelihood Bern": ["no such likelihood", "The likelihoods are: Bernoulli, Fixed"],
    "--model={class_path: disent.models.BetVAE}": [
        "--model disent.models.BetVAE: there is no class BetVAE in ", "Did you mean BetaVAE or "
    ],
    "--model={class_path: BetaVAE, init_args: {network: MLQ}}": [
        "--model.network MLQ: there is no such network. Did you mean MLP?"
    ],
    "--model.network.class_path MLQ": ["--model.network MLQ: there is no such network."],
    "--model VAE --model.objective BetaElbo": ["Did you mean BetaELBO?"],
    "--model AdversarialAutoEncoder --model.prior SwisRoll": ["Did you mean SwissRoll?"],
    # files
    "--model.network nowhere.Tiny": ["there is no file nowhere.py in ", "no module nowhere is"],
    "--model.network own_kind.Tiny": ["there is no file own_kind.py", "Did you mean own_kinds?"],
    "--model.network own_kinds.Tony": [
        "there is no class Tony in ", "own_kinds.py. Did you mean Tiny? It has: Bare, Floats, "
    ],
    "--model.network broken.Tiny": [
        "--model.network broken.Tiny: broken.py was found in ",
        "but importing it failed: NameError: name 'zero' is not defined (broken.py, line 2)",
    ],
    "--model.network needs.Tiny": [
        "needs.py was found in ", "ModuleNotFoundError: No module named 'not_installed'"
    ],
    "--model.network syntax.Tiny": ["importing it failed: SyntaxError: ", "(syntax.py, line 1)"],
    "--model.network ../own.Tiny": ["there is no class '../own.Tiny'"],
    # what is of another kind, or unfinished
    "--model.network own_kinds.NoNet": [
        "it is no network: it is no torch.nn.Module, and it has no encode, decode. One is a "
        "subclass of disent.networks.base.Network."
    ],
    "--model own_kinds.Bare": ["it is no model: it has no updates, encode, decode, picture."],
    "--model own_kinds.NoLoss": ["it is no model: it has no step_loss."],
    "--model.likelihood own_kinds.Bare": ["it is no likelihood: it has no outputs, log_prob, mean"],
    "--model VAE --model.objective own_kinds.Half": ["it is no objective: it has no forward."],
    "--model VAE --model.objective own_kinds.make": ["it is no class, but function"],
    "--data own_kinds.NoNet": ["it is no dataset: it has no __len__, fingerprint, images."],
    "--data disent.models.VAE": ["it is no dataset"],
    "--data own_kinds.Pictures": ["own_kinds.Pictures has no channels: a dataset says"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with classes that will not do."""
    (tmp_path / "own_kinds.py").write_text(OWN)
    (tmp_path / "broken.py").write_text("one = 1\ntwo = zero + 2\n")
    (tmp_path / "needs.py").write_text("import not_installed\n")
    (tmp_path / "syntax.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    yield tmp_path
    sys.modules.pop("own_kinds", None)


@pytest.mark.parametrize("words", CASES)
def test_a_class_that_will_not_do_is_answered_in_one_line(words):
    given = [words] if words.startswith("--model={") else words.split()
    with pytest.raises(ValueError, match=r".") as error:
        FitConfig.read([*BASE, *given])
    assert "\n" not in str(error.value)
    assert "Union" not in str(error.value)
    for said in CASES[words]:
        assert said in str(error.value), error.value


def test_a_network_without_parts_is_answered_when_it_is_made():
    config = FitConfig.read([*BASE, "--model.network", "own_kinds.Tiny"])
    with pytest.raises(ValueError, match="Tiny has no encoder: a network's `__init__` makes"):
        config.build()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--model.network own_kinds.Raises", r"NameError: name 'hidden' .*\(own_kinds\.py, line "),
        ("--model.network own_kinds.NoArguments", r"TypeError: NoArguments\.__init__\(\) takes 1"),
        (
            "--data own_kinds.Floats",
            r"Floats\.images gave \[1, 64, 64\] of torch\.float32 for one picture, but "
            r"\[1, 1, 64, 64\] of torch\.uint8",
        ),
    ],
)
def test_what_fails_when_it_is_made_is_said_with_its_place(words, said):
    config = FitConfig.read([*BASE, *words.split()])
    with pytest.raises(ValueError, match=said) as error:
        config.build()
    assert "\n" not in str(error.value)


def test_a_class_of_a_config_file_is_named_with_the_file(folder):
    file = folder / "mine.yaml"
    file.write_text("model:\n  class_path: VAE\n  init_args:\n    objective: BetaELBBO\n")
    with pytest.raises(ValueError, match=r"mine\.yaml: model\.objective BetaELBBO: there is no"):
        check_classes(["--config", str(file)])


@pytest.mark.parametrize(
    "words",
    [
        ["--model", "VAE", "--model.objective", "null"],
        ["--model.network", "{class_path: MLP, init_args: {hidden: [4]}}"],
        ["--model.network", "disent.networks.linear.Linear"],
        ["--model=disent.models.BetaVAE", "--data=disent.data.DSprites", "--model.beta=4"],
        ["--config", "there/is/none.yaml", "--model.lr", "MLP"],
    ],
)
def test_what_will_do_passes(words):
    check_classes(words)


def test_a_class_of_ones_own_may_be_named_alone_once_it_is_imported():
    from tests.tiny import Squares

    assert KINDS["data"].find("Squares") is Squares


def test_members_are_those_of_the_rooms():
    assert set(KINDS["model"].names()) == set(disent.models.__all__) - {"load_run"}
    assert {"BetaVAE", "--model.beta", "--data.path", "--model.network.hidden"} <= set(
        member_names()
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model.likelihood", "3"], "--model.likelihood"),
        (
            ["--trainer.precision", "float"],
            "--trainer.precision is float, but a model",
        ),
        (
            ["--evaluate.precision", "float16"],
            "--evaluate.precision float16: Expected one of 'float32', 'bfloat16'.",
        ),
        (["--loader.sampling", "all"], "--loader.sampling all"),
        (["--model.posterior", "fll"], "--model.posterior fll"),
        (["--model.size", "[1, 2, 3]"], "--model.size"),
        (["--model", "[1]"], "--model"),
    ],
)
def test_values_that_will_not_do_are_answered_in_one_line(words, said, tmp_path, capsys):
    assert main(["fit", *BASE, *words, "--runs", str(tmp_path / "runs")]) == 1
    error = capsys.readouterr().err.strip()
    assert error.startswith(f"disent: error: {said}"), error
    assert len(error.splitlines()) == 1
    assert not {"Union", "Parser key", "<class", "NestedArg"} & set(error.split())
    assert not Path(tmp_path / "runs").exists()
