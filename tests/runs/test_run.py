# SPDX-License-Identifier: Apache-2.0
"""From a run directory to its model, step and dataset, and what is said where that fails."""

import subprocess
import sys

import pytest
import torch

from disent.models import BetaVAE, FactorVAE, load_run
from disent.networks import Linear
from disent.runs import Run, RunDir
from tests.tiny import Squares

CONFIG = """
model:
  class_path: disent.models.BetaVAE
  init_args: {network: disent.networks.Linear, latent_dim: 3, seed: 5}
data: {class_path: tests.tiny.Squares}
"""


@pytest.fixture
def folder(tmp_path) -> RunDir:
    """A run whose weights are all 0.5 after 7 steps, and 0.25 where they were best."""
    run = RunDir(tmp_path)
    run.write_text(run.config, CONFIG)
    run.last.parent.mkdir()
    for file, step, value in ((run.last, 7, 0.5), (run.best, 4, 0.25)):
        weights = BetaVAE(network=Linear, latent_dim=3).state_dict()
        filled = {name: torch.full_like(weight, value) for name, weight in weights.items()}
        torch.save({"state_dict": filled, "global_step": step}, file)
    return run


def test_a_run_gives_its_parts(folder):
    run = Run.load(folder.path)
    assert run.directory.path == folder.path
    assert run.config["model"]["init_args"]["latent_dim"] == 3
    assert (run.step(), run.step(best=True)) == (7, 4)
    for model, value in ((run.model(), 0.5), (run.model(best=True), 0.25)):
        assert isinstance(model, BetaVAE)
        assert not model.training
        assert all(bool((weight == value).all()) for weight in model.state_dict().values())
    begun = BetaVAE(network=Linear, latent_dim=3, seed=5).state_dict()
    for name, weight in run.untrained().state_dict().items():
        assert torch.equal(weight, begun[name]), name
    assert isinstance(run.dataset(), Squares)
    assert torch.equal(next(load_run(folder.path).parameters()), next(run.model().parameters()))


@pytest.mark.parametrize(
    ("was", "now", "part", "said"),
    [
        ("data:", "date:", "dataset", "has no section 'data'. It was changed"),
        ("tests.tiny.Squares", "tests.tiny.Circles", "dataset", "there is no class"),
        ("tests.tiny.Squares", "Squares", "dataset", "such as package.module.Class is wanted"),
        ("latent_dim: 3", "latent_dims: 3", "model", "section 'model' of .* cannot be used"),
        ("latent_dim: 3", "latent_dim: 4", "model", "does not fit the model of"),
    ],
)
def test_a_config_that_was_changed_is_named(was, now, part, said, folder):
    folder.config.write_text(CONFIG.replace(was, now))
    with pytest.raises(ValueError, match=said):
        getattr(Run.load(folder.path), part)()


def test_what_is_missing_is_named(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a run"):
        Run.load(tmp_path / "nowhere")
    folder.last.unlink()
    with pytest.raises(FileNotFoundError, match="there is no trained model in"):
        Run.load(folder.path).model()
    torch.save({"state_dict": {}}, folder.last)
    with pytest.raises(ValueError, match=r"last\.ckpt is no checkpoint of a run"):
        Run.load(folder.path).step()


def test_reading_a_run_imports_no_torch(folder):
    code = (
        "import sys; from disent.runs import Run; "
        f"Run.load({str(folder.path)!r}); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_a_stored_run_left_out_stays_as_it_was_made(folder):
    made = FactorVAE(network=Linear, latent_dim=3, width=4)
    factor = CONFIG.replace("BetaVAE", "FactorVAE").replace("seed: 5", "seed: 5, width: 4")
    folder.write_text(folder.config, factor)
    weights = {name: torch.full_like(w, 0.5) for name, w in made.state_dict().items()}
    kept = {name: w for name, w in weights.items() if not name.startswith("discriminator.")}
    stored = {"state_dict": kept, "global_step": 7}
    torch.save(stored, folder.last)
    with pytest.raises(ValueError, match="does not fit the model"):
        Run.load(folder.path).model()
    torch.save(stored | {"left_out": ["discriminator"]}, folder.last)
    run = Run.load(folder.path)
    first = run.untrained().state_dict()
    for name, weight in run.model().state_dict().items():
        assert torch.equal(weight, kept[name] if name in kept else first[name])
    torch.save({"state_dict": {}, "global_step": 7, "left_out": ["network"]}, folder.last)
    with pytest.raises(ValueError, match="does not fit the model"):
        Run.load(folder.path).model()


@pytest.mark.parametrize("left", [3, 100, 1000])
def test_a_checkpoint_that_was_cut_off_is_named(folder, left):
    folder.last.write_bytes(folder.last.read_bytes()[:left])
    with pytest.raises(ValueError, match=r"last\.ckpt is damaged: "):
        Run.load(folder.path).model()
