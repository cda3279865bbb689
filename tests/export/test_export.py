# SPDX-License-Identifier: Apache-2.0
"""disent export: what is written of each family computes what the run's model does."""

import importlib.util
import json

import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from disent.cli.main import main
from disent.export import export_run, load_export
from disent.export.programs import Part, write_programs
from tests.export.runs import FACTS, LINEAR, write_run

FAMILIES = {
    "BetaVAE": {"network": LINEAR, "beta": 2.0},
    "VAE": {"network": LINEAR, "posterior": "full"},
    "AutoEncoder": {"network": LINEAR},
    "QLAE": {"network": LINEAR},
    "FactorQVAE": {"network": LINEAR},
    "ConditionalVAE": {"network": LINEAR, "conditions": "size", **FACTS},
    "HierarchicalVAE": {"network": LINEAR, "width": 16},
    "BiGAN": {"network": LINEAR},
    "AdversarialVB": {"network": LINEAR},
    "FactorVAE": {},  # the convolutions of Locatello et al.
}
PROGRAMS = ["encoder.pt2", "encoder.onnx", "decoder.pt2", "decoder.onnx"]


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_family_is_written_and_computes_what_torch_does(kind, tmp_path):
    run = write_run(tmp_path / "run", kind, **FAMILIES[kind])
    place, told = export_run(run.path)
    assert place == run.path / "export"
    assert [(t.file, t.why) for t in told] == [(name, "") for name in PROGRAMS]
    described = json.loads((place / "model.json").read_text())
    assert list(described["programs"]) == PROGRAMS
    assert described["pictures"] == {"shape": [1, 64, 64], "range": [0.0, 1.0]}
    model, dataset = run.model(), run.dataset()
    index = torch.tensor([5, 77, 100])  # others than were looked at when it was written
    x = dataset.batch(index)
    given = [dataset.factors(index)] if model.conditions else []
    with torch.no_grad():
        wanted = model.given(*given or [None]).encode(x).mean
        assert torch.equal(load_export(place).given(*given or [None]).encode(x).mean, wanted)
        codes = torch.export.load(place / "encoder.pt2").module()(x, *given)[0]
        drawn = model.given(*given or [None]).picture(wanted)
    torch.testing.assert_close(codes, wanted, atol=1e-5, rtol=1e-5)
    session = onnxruntime.InferenceSession(place / "decoder.onnx")
    names = [entry.name for entry in session.get_inputs()]
    told_in = {n: t.numpy() for n, t in zip(names, [wanted, *given], strict=True)}
    pictures = torch.as_tensor(session.run(["pictures"], told_in)[0])
    torch.testing.assert_close(pictures, drawn, atol=1e-5, rtol=1e-5)


def test_weights_are_those_of_the_checkpoint(tmp_path):
    run = write_run(tmp_path / "run", "BetaVAE", network=LINEAR)
    place, _ = export_run(run.path, tmp_path / "out")
    kept, wanted = load_file(place / "weights.safetensors"), run.model().state_dict()
    assert kept.keys() == wanted.keys()
    assert all(torch.equal(kept[name], wanted[name]) for name in wanted)
    (place / "weights.safetensors").unlink()
    other = write_run(tmp_path / "other", "BetaVAE", network=LINEAR, latent_dim=3)
    export_run(other.path)[0].joinpath("weights.safetensors").rename(place / "weights.safetensors")
    with pytest.raises(ValueError, match=r"the weights do not fit model\.json"):
        load_export(place)


def test_what_cannot_be_exported_says_so_and_the_rest_is_written(tmp_path, monkeypatch, capsys):
    run = write_run(tmp_path / "run", "BetaVAE", network=LINEAR)
    monkeypatch.setattr("disent.models.VAE.decode", _by_a_look_at_the_values)
    assert main(["export", str(run.path)]) == 0
    said = capsys.readouterr().out.splitlines()
    refused = [line for line in said if "not written: " in line]
    assert [line.split(":")[0] for line in refused] == ["decoder.pt2", "decoder.onnx"]
    files = {file.name for file in (run.path / "export").iterdir()}
    assert files == {"weights.safetensors", "model.json", "MODEL_CARD.md", *PROGRAMS[:2]}
    described = json.loads((run.path / "export" / "model.json").read_text())
    assert list(described["left_out"]) == PROGRAMS[2:]


def _by_a_look_at_the_values(model, z):
    return model.network.decode(z if float(z.sum()) > 0 else -z)


class _Drawn(torch.nn.Module):
    """Never the same twice."""

    def forward(self, x):
        return (x + torch.rand_like(x),)


def test_a_program_that_differs_from_torch_is_not_kept(tmp_path):
    part = Part("encoder", _Drawn(), {"x": torch.zeros(4, 2)}, ("mean",))
    told = write_programs(part, tmp_path)
    assert "its mean differs from torch's by" in told[0].why
    assert list(tmp_path.iterdir()) == []


def test_without_onnx_one_line_says_what_to_install(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "onnx" else found(name, *a)
    )
    told = export_run(write_run(tmp_path / "run", "BetaVAE", network=LINEAR).path)[1]
    why = {t.file: t.why for t in told}
    assert why["encoder.pt2"] == ""
    assert why["encoder.onnx"] == "onnx is not installed: pip install 'disent-suite[export]'."


def test_nothing_is_overwritten_and_nothing_is_left_half_written(tmp_path, monkeypatch, capsys):
    run = write_run(tmp_path / "run", "BetaVAE", network=LINEAR)
    (tmp_path / "there").mkdir()
    assert main(["export", str(run.path), "--to", str(tmp_path / "there")]) == 1
    assert "there is there already, and is not overwritten" in capsys.readouterr().err
    monkeypatch.setattr("disent.export.folder.card_of", lambda *_: 1 / 0)
    before = sorted(run.path.iterdir())
    with pytest.raises(ZeroDivisionError):
        export_run(run.path)
    assert sorted(run.path.iterdir()) == before
    with pytest.raises(FileNotFoundError, match=r"has no model.json, so it is no export"):
        load_export(run.path)


def test_an_export_that_names_another_class_makes_nothing_of_it(tmp_path):
    call = {"class_path": "subprocess.Popen", "init_args": {"args": ["touch", str(tmp_path / "x")]}}
    (tmp_path / "model.json").write_text(json.dumps({"model": call}))
    with pytest.raises(ValueError, match=r"subprocess\.Popen"):
        load_export(tmp_path)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("content", [b"", b"\xff" * 8 + b"{}", b"\x02" + bytes(7) + b"{}"])
def test_weights_that_are_none_are_refused_in_one_line(content, tmp_path):
    model = {"class_path": "disent.models.BetaVAE", "init_args": {"network": LINEAR}}
    (tmp_path / "model.json").write_text(json.dumps({"model": model}))
    (tmp_path / "weights.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=r"the weights do not fit model\.json") as error:
        load_export(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "3", "{}", "[" * 2000])
def test_a_description_that_is_none_is_refused(text, tmp_path):
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(ValueError, match=r"model\.json (is not JSON|describes no model)"):
        load_export(tmp_path)
