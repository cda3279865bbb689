# SPDX-License-Identifier: Apache-2.0
"""disent score: codes that came from outside, from the file to the table."""

import json
import zipfile
from itertools import product
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from disent.cli.main import main
from disent.evaluation.options import BY_NAME_ONLY
from disent.metrics import __all__ as every

SHAPES, SCALES, PLACES = ("square", "ellipse", "heart"), (0.5, 0.75, 1.0, 1.25), range(3, 8)
WORDS = np.array([[a, str(b), str(c)] for a, b, c in product(SHAPES, SCALES, PLACES)])
PERFECT = np.array(list(product(range(3), range(4), range(5))), np.float64)
FAST = ["--metrics", "mig,mutual_info_score"]


@pytest.fixture
def score(tmp_path, capsys):
    """Writes a file of arrays and scores it: status, record, output, errors."""

    def run(*options, **arrays):
        np.savez(tmp_path / "codes.npz", **arrays)
        status = main(["score", str(tmp_path / "codes.npz"), *options])
        file = tmp_path / "codes.scores.json"
        record = json.loads(file.read_text()) if file.exists() else None
        return status, record, *capsys.readouterr()

    return run


def test_scikit_learns_pca_of_the_digits(score):
    digits: Any = load_digits()
    pictures, label = digits.data, digits.target
    codes = PCA(6, svd_solver="full").fit_transform(pictures)
    images = pictures.reshape(-1, 8, 8) / 16
    names = np.array(["digit"])
    arrays = {"codes": codes, "factors": label, "names": names, "images": images}
    options = ["--metrics", "mig,mig_sup,explicitness,dci,beta_vae_score,mig_chen,udr"]
    status, record, out, _ = score(*options, "--seed", "3", **arrays)
    assert status == 0
    found = record["scores"]["mig"]
    assert (found["seed"], found["points"], found["codes"]) == (3, 1797, "as given, float32")
    assert found["variant"] == "disent.metrics.mig.mig"
    assert found["settings"] == {"bins": 20, "seed": 3}
    assert found["fingerprint"] == record["fingerprint"]
    assert record["fingerprint"].startswith("given arrays, ")
    # the suite's own PCA of the pictures has the same axes
    for name in ("mig", "mig_sup", "explicitness"):
        entry = record["scores"][name]
        assert entry["value"] == pytest.approx(entry["pca"], abs=0.01)
        assert entry["value"] > entry["chance"] + 0.02
        assert "untrained" not in entry
    assert record["scores"]["dci.informativeness"]["value"] > 0.8
    assert "1 of the factors have two values" in record["scores"]["beta_vae_score"]["reason"]
    assert "mig_chen wants `logvars`" in record["scores"]["mig_chen"]["reason"]
    assert "udr compares several runs" in record["scores"]["udr"]["reason"]
    assert record["factors_as_taken"][0] == "digit: 10 values: 0 .. 9"
    for text in ("PCA", "chance", "Scores on 1,797 pictures", "digit: 10 values", "scores.json"):
        assert text in out
    assert "untrained" not in out


def test_a_grid_of_words(score):
    status, record, out, _ = score(
        *("--metrics", "mig,beta_vae_score,factor_vae_score,sap_r2"), codes=PERFECT, factors=WORDS
    )
    assert status == 0
    for name in ("mig", "beta_vae_score", "factor_vae_score"):
        assert record["scores"][name]["value"] == pytest.approx(1)
        assert "pca" not in record["scores"][name]
    # shapes are numbered in the order of the alphabet
    assert record["factors_as_taken"] == [
        "factor_0: 3 values: ellipse, heart, square",
        "factor_1: 4 values: 0.5, 0.75, 1.0, 1.25",
        "factor_2: 5 values: 3, 4, 5, 6, 7",
        "60 of 60 combinations of values are there",
    ]
    assert "60 of 60 combinations" in out


def test_every_score_is_asked_for_and_gaps_do_not_matter(score):
    kept = np.arange(60) % 7 > 0
    fast = [n for n in every if n not in ("dci", "sap", *BY_NAME_ONLY)]
    status, record, _, _ = score(
        "--metrics", ",".join(fast), codes=PERFECT[kept], factors=WORDS[kept]
    )
    assert status == 0
    assert "51 of 60 combinations of values are there" in record["factors_as_taken"]
    without = {n.split(".")[0] for n, e in record["scores"].items() if e["value"] is None}
    assert without == {"mig_chen", "udr", "elbo_decomposition"}
    assert record["scores"]["beta_vae_score"]["value"] == 1


def test_a_whole_grid_in_order_is_one(score):
    factors = np.array(list(product(range(3), range(4), range(5))))
    status, record, _, _ = score("--metrics", "fairness", codes=PERFECT, factors=factors)
    assert status == 0
    assert record["scores"]["fairness"]["value"] == 0


def test_what_does_not_fit_into_memory_is_not_unpacked(score, monkeypatch):
    monkeypatch.setattr("disent.evaluation.given_arrays.memory_left", lambda: 3000)
    status, record, _, told = score(*FAST, codes=PERFECT, factors=WORDS)
    assert (status, record) == (1, None)
    assert "GB unpacked, but 0.0 GB may be used here: leave images out" in told


def test_continuous_factors_are_cut_into_bins_where_a_score_allows_it(score):
    x = np.random.default_rng(0).uniform(size=(500, 2))
    status, record, out, _ = score("--metrics", "mig,irs,dci,beta_vae_score", codes=x, factors=x)
    assert status == 0
    assert record["scores"]["mig"]["value"] > 0.7
    assert record["scores"]["irs"]["value"] > 0.7
    for name in ("dci", "beta_vae_score"):
        assert (
            f"{name} wants factors of few values, but factor_0, factor_1 is continuous"
            in (record["scores"][name]["reason"])
        )
    assert "factor_0: continuous, cut into 20 equal bins" in out


def test_earlier_scores_of_the_same_arrays_stay(score):
    given = {"codes": PERFECT, "factors": WORDS}
    score("--metrics", "mig", **given)
    assert set(score("--metrics", "sap_r2", **given)[1]["scores"]) == {"mig", "sap_r2"}
    other = given | {"codes": PERFECT + 1}
    assert set(score("--metrics", "sap_r2", **other)[1]["scores"]) == {"sap_r2"}


def test_missing_labels_are_left_out(score):
    factors = PERFECT.copy()
    factors[:20, 1] = np.nan
    record = score(*FAST, codes=PERFECT, factors=factors)[1]
    assert (record["points"], record["labelled"]) == (60, 40)
    assert record["scores"]["mig"]["points"] == 40
    assert "factor_1: 4 values: 0, 1, 2, 3; 20 missing" in record["factors_as_taken"]


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((60, 4, 4), bool),
        np.zeros((60, 4, 4, 3), np.uint8),
        np.zeros((60, 1, 4, 4), np.float32),
    ],
)
def test_pictures_may_be_stored_in_any_usual_way(score, images):
    images[np.arange(60), ..., 0] = 1
    images[:30] = 0
    status, record, _, err = score(*FAST, codes=PERFECT, factors=WORDS, images=images)
    assert (status, err) == (0, "")
    assert record["scores"]["mig"]["pca"] is not None


GOOD = {"codes": PERFECT, "factors": WORDS}
NAN = np.where(np.arange(180).reshape(60, 3) == 4, np.nan, PERFECT)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"codes": PERFECT}, "has no array factors. It has: codes. Wanted are codes and factors"),
        ({"factors": WORDS}, "has no array codes"),
        ({}, "has no array codes and no array factors. It has: nothing"),
        ({**GOOD, "codes": PERFECT[:-1]}, "codes has 59 rows but factors has 60"),
        ({**GOOD, "images": np.zeros((3, 4, 4))}, "codes has 60 rows but images has 3"),
        ({**GOOD, "codes": NAN}, "codes holds 1 values that are NaN or infinite, in columns [1]"),
        ({**GOOD, "codes": PERFECT * 1e60}, "NaN or infinite, in columns [0, 1, 2]"),
        ({**GOOD, "codes": PERFECT * 1j}, "codes has shape [60, 3] and dtype complex128"),
        ({**GOOD, "codes": PERFECT[:, 0]}, "codes has shape [60] and dtype float64"),
        ({**GOOD, "codes": WORDS}, "but a table of real numbers is wanted"),
        ({**GOOD, "codes": PERFECT.astype(object)}, "codes of"),
        ({**GOOD, "factors": PERFECT.astype(object)}, "Arrays of objects are not taken"),
        ({**GOOD, "factors": PERFECT * 1j}, "factors has shape [60, 3] and dtype complex128"),
        ({"codes": PERFECT[:0], "factors": WORDS[:0]}, "codes has 0 rows. A score takes at least"),
        ({"codes": PERFECT[:1], "factors": WORDS[:1]}, "codes has 1 rows. A score takes at least"),
        ({**GOOD, "names": np.array(["a", "b"])}, "but 3 different ones are wanted"),
        ({**GOOD, "images": np.full((60, 4, 4), 16.0)}, "images has dtype float64, from 16.0 to"),
        ({**GOOD, "images": np.zeros((60, 4, 4, 2))}, "images has shape [60, 4, 4, 2], but"),
    ],
)
def test_a_fault_is_one_line(score, arrays, message):
    status, record, out, err = score(*FAST, **arrays)
    assert (status, record, out) == (1, None, "")
    assert message in err
    assert err.startswith("disent: error: ")
    assert err.count("\n") == 1


def test_what_is_no_file_of_arrays_is_one_line(tmp_path, capsys):
    np.save(tmp_path / "one.npy", PERFECT)
    (tmp_path / "text.npz").write_text("no arrays")
    files = [str(tmp_path / name) for name in ("one.npy", "text.npz", "none.npz")]
    assert main(["score", *files]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    for line, said in zip(
        lines, ("holds one array", "is no .npz", "there is no file"), strict=True
    ):
        assert said in line


def test_a_member_that_is_no_array_is_one_line(tmp_path, capsys):
    file = tmp_path / "codes.npz"
    np.savez(file, factors=np.zeros((3, 1), int))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("codes.npy", b"three of them")
    assert main(["score", str(file)]) == 1
    assert "codes.npz cannot be read: it is no array" in capsys.readouterr().err


def test_an_unknown_metric_is_one_line(score):
    status, record, _, err = score("--metrics", "migg", **GOOD)
    assert (status, record) == (1, None)
    assert "there is no metric migg" in err
