# SPDX-License-Identifier: Apache-2.0
"""From a run directory to its model, step and dataset, and what is said where that fails."""

import subprocess
import sys
import zipfile

import pytest
import torch
import yaml

from disent.models import BetaVAE, load_run
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
    kept = torch.load(folder.last, weights_only=True)
    decoder = {n: w for n, w in kept["state_dict"].items() if n.startswith("network.decoder.")}
    assert decoder
    for name in decoder:
        del kept["state_dict"][name]
    torch.save(kept, folder.last)
    with pytest.raises(ValueError, match="does not fit the model"):
        Run.load(folder.path).model()
    torch.save(kept | {"left_out": ["network.decoder"]}, folder.last)
    run = Run.load(folder.path)
    model, made = run.model(), run.untrained().state_dict()
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, made[name] if name in decoder else torch.full_like(weight, 0.5))


class Order:
    """What a pickle may do to those who load it."""

    def __reduce__(self):
        return pytest.fail, ("the checkpoint was unpickled",)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_pickle_in_a_checkpoint_is_not_run(folder, legacy):
    content = {"state_dict": {"a": Order()}, "global_step": 1}
    torch.save(content, folder.last, _use_new_zipfile_serialization=not legacy)
    for part in ("model", "weights", "step"):
        with pytest.raises(ValueError, match=r"last\.ckpt is damaged: .*Weights only") as error:
            getattr(Run.load(folder.path), part)()
        assert "\n" not in str(error.value)


def test_a_checkpoint_that_unpacks_to_more_than_it_is_is_refused_unread(folder):
    with zipfile.ZipFile(folder.last, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("last/data.pkl", bytes(10**7))
    with pytest.raises(ValueError, match=r"10,000,000 bytes unpacked, more than the file has"):
        Run.load(folder.path).weights()


@pytest.mark.parametrize(
    "content",
    [3, [], {}, {"state_dict": 3}, {"state_dict": {"a": 3}}, {"state_dict": {1: torch.zeros(1)}}],
)
def test_what_holds_no_weights_by_name_is_no_checkpoint(content, folder):
    torch.save(content, folder.last)
    for part in ("model", "weights", "step"):
        with pytest.raises(ValueError, match=r"last\.ckpt is no checkpoint of a run"):
            getattr(Run.load(folder.path), part)()


@pytest.mark.parametrize("step", ["7", [], None, 7.0, torch.zeros(2)])
def test_a_step_that_is_no_number_is_none(step, folder):
    torch.save({"state_dict": {}, "global_step": step}, folder.last)
    with pytest.raises(ValueError, match="no checkpoint of a run: it has no step"):
        Run.load(folder.path).step()


@pytest.mark.parametrize("section", ["model", "data"])
def test_a_config_that_names_another_class_makes_nothing_of_it(section, folder, tmp_path):
    call = {"class_path": "subprocess.Popen", "init_args": {"args": ["touch", str(tmp_path / "x")]}}
    folder.config.write_text(yaml.safe_dump({**yaml.safe_load(CONFIG), section: call}))
    with pytest.raises(
        ValueError, match=f"section '{section}' of .* cannot be used: subprocess.Popen is no"
    ):
        getattr(Run.load(folder.path), {"model": "untrained", "data": "dataset"}[section])()
    assert not (tmp_path / "x").exists()
