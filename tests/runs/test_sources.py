# SPDX-License-Identifier: Apache-2.0
"""Files of one's own: which they are, what a run keeps of them, when they have changed."""

import hashlib
import importlib
import sys
import warnings
from collections.abc import Iterator

import pytest

from disent.runs.build import make
from disent.runs.classes import class_paths, did_you_mean
from disent.runs.sources import keep_sources, own_files, warn_of_changes, where_kept

CONFIG = {
    "model": {
        "class_path": "disent.models.VAE",
        "init_args": {"network": {"class_path": "pack.nets.Tiny", "init_args": {}}},
    },
    "data": {"class_path": "single.Data"},
    "trainer": {"callbacks": [{"class_path": "lightning.pytorch.callbacks.Timer"}]},
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator:
    """A package whose class is made of a helper, and a file alone; imported."""
    pack = tmp_path / "work" / "pack"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text("")
    (pack / "nets.py").write_text(
        "import json\nimport yaml\nfrom helper import half\nfrom disent.grid import FactorGrid\n"
        "class Tiny:\n    pass\n"
    )
    (pack / "others.py").write_text("class Other:\n    pass\n")
    (tmp_path / "work" / "helper.py").write_text("def half(x):\n    return x / 2\n")
    (tmp_path / "work" / "single.py").write_text("class Data:\n    pass\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "work")])
    for name in ("pack.nets", "pack.others", "single"):
        __import__(name)
    yield tmp_path
    for name in [
        name for name in sys.modules if name.split(".")[0] in ("pack", "helper", "single")
    ]:
        del sys.modules[name]


def test_class_paths_are_found_at_any_depth():
    assert list(class_paths(CONFIG)) == [
        "disent.models.VAE",
        "pack.nets.Tiny",
        "single.Data",
        "lightning.pytorch.callbacks.Timer",
    ]


def test_own_files_are_those_of_the_classes_and_of_what_they_import(folder):
    names = {"pack/__init__.py", "pack/nets.py", "helper.py", "single.py"}
    assert set(own_files(CONFIG)) == names
    assert own_files({"model": {"class_path": "disent.models.VAE"}}) == {}


def test_a_run_keeps_them_with_their_hashes(folder):
    kept = keep_sources(folder / "run", CONFIG)
    assert set(kept) == {"pack/__init__.py", "pack/nets.py", "helper.py", "single.py"}
    single = (folder / "work" / "single.py").read_bytes()
    assert (folder / "run" / "source" / "single.py").read_bytes() == single
    assert kept["single.py"] == hashlib.sha256(single).hexdigest()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert keep_sources(folder / "run", CONFIG) == kept
        warn_of_changes(folder / "run", {**CONFIG, "provenance": {"source": kept}})


def test_a_run_of_the_suites_own_classes_keeps_nothing(tmp_path):
    assert keep_sources(tmp_path, {"model": {"class_path": "disent.models.VAE"}}) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changed_is_said_and_the_former_one_kept(folder):
    run, file = folder / "run", folder / "work" / "single.py"
    kept = keep_sources(run, CONFIG)
    before = file.read_text()
    file.write_text(before + "# changed\n")
    with pytest.warns(UserWarning, match=r"single\.py is not what .*run was made with"):
        warn_of_changes(run, {**CONFIG, "provenance": {"source": kept}})
    with pytest.warns(UserWarning, match="has changed since .*run was begun with it: the run goes"):
        again = keep_sources(run, CONFIG)
    former = f"single.{kept['single.py'][:8]}.py"
    assert again[former] == kept["single.py"]
    assert again["single.py"] != kept["single.py"]
    assert (run / "source" / former).read_text() == before


def test_where_a_copy_lies_is_said_and_what_to_type(folder):
    keep_sources(folder / "run", CONFIG)
    said = where_kept(folder / "run", "pack.nets.Tiny")
    assert f"keeps it as {folder}/run/source/pack/nets.py" in said
    assert f"put PYTHONPATH={folder}/run/source before it" in said
    assert where_kept(folder / "run", "gone.Tiny") == ""


def test_code_of_ones_own_that_fails_is_said_with_its_place(folder):
    (folder / "work" / "single.py").write_text("class Data:\n    def __init__(self):\n        no\n")
    importlib.reload(sys.modules["single"])
    with pytest.raises(ValueError, match=r"NameError: name 'no' is .*\(single\.py, line 3\)"):
        make({"data": {"class_path": "single.Data"}}, "data")


def test_the_nearest_names_do_not_look_at_capitals():
    assert did_you_mean("mpi3d", ["MNIST", "MPI3D"]) == " Did you mean MPI3D?"
    assert (
        did_you_mean("beta_vae", ["BetaVAE", "BetaTCVAE"]) == " Did you mean BetaVAE or BetaTCVAE?"
    )
    assert did_you_mean("zebra", ["BetaVAE"]) == ""
    assert did_you_mean("same", ["same"]) == ""
