# SPDX-License-Identifier: Apache-2.0
import os

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from disent.codes import CodeTable
from disent.data.subgrid import Subset
from disent.gaussian import DiagonalGaussian, FullGaussian, Posterior
from disent.grid import FactorGrid
from tests.bars import BarModel, Bars, LabelledBars
from tests.data.tiny import Tiny, indices_of


class Encoder(nn.Module):
    """Codes (i, 2 i) with log-variances (-i, 1) for Tiny's picture i; notes how it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(255.0))
        self.dropout = nn.Dropout(0.5)
        self.frozen = nn.BatchNorm2d(1).eval()
        self.seen: list[int] = []
        self.sizes: list[int] = []

    def encode(self, x: Tensor) -> Posterior:
        assert not self.training
        assert torch.is_inference_mode_enabled()
        self.seen += indices_of(x)
        self.sizes.append(len(x))
        value = self.dropout(x)[:, 0, 0, 0] * self.scale
        return DiagonalGaussian(
            torch.stack([value, 2 * value], 1), torch.stack([-value, torch.ones_like(value)], 1)
        )


GRID = FactorGrid(("shape", "scale"), (2, 3))


def table(rows: int = 6, fingerprint: str = "tiny") -> CodeTable:
    numbers = torch.arange(2.0 * rows).reshape(rows, 2)
    return CodeTable(numbers, -numbers, GRID, fingerprint)


@pytest.mark.parametrize("batch_size", [1, 7, 48, 1000])
def test_every_picture_is_encoded_once_and_in_order(batch_size):
    encoder = Encoder()
    codes = CodeTable.encode(encoder, Tiny(), batch_size=batch_size)
    rows = torch.arange(48.0)
    assert encoder.seen == list(range(48))
    assert max(encoder.sizes) == min(batch_size, 48)
    torch.testing.assert_close(codes.means, torch.stack([rows, 2 * rows], 1))
    torch.testing.assert_close(codes.logvars, torch.stack([-rows, torch.ones(48)], 1))
    assert codes.grid == Tiny().grid
    assert codes.fingerprint == "tiny"
    assert codes.factors is not None
    assert torch.equal(codes.factors, Tiny().grid.all_factors())


def test_the_modes_come_back_as_they_were_also_after_an_error():
    encoder = Encoder()
    modes = [module.training for module in encoder.modules()]
    assert modes == [True, True, False]
    CodeTable.encode(encoder, Tiny())
    assert [module.training for module in encoder.modules()] == modes
    with torch.no_grad():
        encoder.scale.fill_(float("nan"))
    with pytest.raises(ValueError, match="NaN"):
        CodeTable.encode(encoder, Tiny())
    assert [module.training for module in encoder.modules()] == modes


def test_codes_can_be_trained_on():
    codes = CodeTable.encode(Encoder(), Tiny())
    weight = torch.ones(2, requires_grad=True)
    (codes.means @ weight).sum().backward()  # inference tensors would refuse
    assert weight.grad is not None
    assert weight.grad.tolist() == [1128, 2256]  # sum of 0..47, and its double


def test_anything_with_encode_will_do():
    class Mean:
        def encode(self, x: Tensor) -> DiagonalGaussian:
            mean = x.mean((1, 2, 3))[:, None]
            return DiagonalGaussian(mean, torch.zeros_like(mean))

    codes = CodeTable.encode(Mean(), Tiny())
    torch.testing.assert_close(codes.means[:, 0], torch.arange(48.0) / 255)


def test_a_convolution_gives_the_codes_of_its_own_forward():
    class Conv(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Conv2d(1, 4, 4, 4), nn.ReLU(), nn.Flatten())
            self.head = nn.Linear(1024, 6)

        def encode(self, x: Tensor) -> DiagonalGaussian:
            return DiagonalGaussian(*self.head(self.layers(x)).chunk(2, 1))

    model = Conv()
    codes = CodeTable.encode(model, Tiny(), batch_size=10)
    with torch.no_grad():
        q = model.encode(Tiny().batch(torch.arange(48)))
    torch.testing.assert_close(codes.means, q.mean)
    torch.testing.assert_close(codes.logvars, q.logvar)
    rough = CodeTable.encode(model, Tiny(), autocast=torch.bfloat16)
    assert rough.means.dtype == torch.float32
    assert not torch.equal(rough.means, codes.means)
    torch.testing.assert_close(rough.means, codes.means, atol=0.02, rtol=0.02)


@pytest.mark.parametrize("shown", [True, False])
def test_the_bar_shows_when_asked_and_on_stderr(shown, capsys):
    CodeTable.encode(Encoder(), Tiny(), batch_size=10, progress=shown)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("48/48" in err and "images/s" in err) is shown


def test_results_that_are_no_codes_are_refused():
    class Wrong(nn.Module):
        def encode(self, x: Tensor) -> DiagonalGaussian:
            return DiagonalGaussian(x.flatten(1), torch.zeros(len(x)))

    with pytest.raises(ValueError, match=r"logvars of shape \[48\] for 48 pictures"):
        CodeTable.encode(Wrong(), Tiny())
    with pytest.raises(ValueError, match="batch_size must be >= 1, got 0"):
        CodeTable.encode(Wrong(), Tiny(), batch_size=0)


def test_a_sample_is_a_draw_from_each_posterior():
    means, stds = torch.tensor([[0.0, 10.0]]), torch.tensor([[1.0, 0.5]])
    grid = FactorGrid(("x",), (20_000,))
    codes = CodeTable(means.repeat(20_000, 1), (2 * stds.log()).repeat(20_000, 1), grid)
    drawn = codes.sample(torch.Generator().manual_seed(0))
    # standard errors: 0.007 of the mean, 0.005 of the deviation
    torch.testing.assert_close(drawn.mean(0), means[0], atol=0.03, rtol=0)
    torch.testing.assert_close(drawn.std(0), stds[0], atol=0.03, rtol=0)
    assert torch.equal(drawn, codes.sample(torch.Generator().manual_seed(0)))


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "new" / "codes"  # a missing folder, and no suffix
    table().save(path)
    loaded = CodeTable.load(path)
    assert torch.equal(loaded.means, table().means)
    assert loaded.logvars is not None
    assert torch.equal(loaded.logvars, -loaded.means)
    assert (loaded.grid, loaded.fingerprint) == (GRID, "tiny")
    assert os.listdir(path.parent) == ["codes"]


def test_a_save_that_fails_leaves_the_old_table_and_nothing_else(tmp_path, monkeypatch):
    table().save(tmp_path / "codes.npz")

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="No space left"):
        table(fingerprint="new").save(tmp_path / "codes.npz")
    assert CodeTable.load(tmp_path / "codes.npz").fingerprint == "tiny"
    assert os.listdir(tmp_path) == ["codes.npz"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text", "other", "pickle", "keys"])
def test_a_torn_or_foreign_file_is_refused(damage, tmp_path):
    path = tmp_path / "codes.npz"
    table().save(path)
    whole = bytearray(path.read_bytes())
    at = whole.index(table().means.numpy().tobytes())
    flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    damaged = {"cut": whole[:-100], "flipped": flipped, "empty": b"", "text": b"codes"}
    if damage in damaged:
        path.write_bytes(damaged[damage])
    elif damage == "other":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif damage == "pickle":
        pickled = {"means": np.array([[None]]), "logvars": np.zeros((1, 1))}
        np.savez(path, format="disent codes 1", names=["x"], sizes=[1], fingerprint="", **pickled)
    else:
        np.savez(path, means=np.zeros((6, 2)))
    with pytest.raises(ValueError, match=r"codes\.npz is torn, or is no table of codes") as error:
        CodeTable.load(path)
    assert ("Object arrays cannot be loaded" in str(error.value)) is (damage == "pickle")


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"no codes at nowhere\.npz"):
        CodeTable.load("nowhere.npz")


def test_tables_that_do_not_fit_the_grid_are_refused():
    with pytest.raises(ValueError, match=r"means has shape \[5, 2\], but \[6, D\] is wanted"):
        table(rows=5)
    with pytest.raises(ValueError, match=r"logvars has shape \[6, 3\]"):
        CodeTable(torch.zeros(6, 2), torch.zeros(6, 3), GRID)
    with pytest.raises(ValueError, match=r"give means\.float\(\)\.cpu\(\)"):
        CodeTable(torch.zeros(6, 2).double(), torch.zeros(6, 2), GRID)


class Tilted(Encoder):
    """Gaussians around Tiny's codes, whose second latent follows the first."""

    def encode(self, x: Tensor) -> Posterior:
        mean = super().encode(x).mean
        return FullGaussian(mean, torch.tensor([[1.0, 0], [1, 1]]).expand(len(mean), 2, 2))


def test_rates_are_the_mean_kl_of_each_latent():
    assert table().rates is not None
    # means 0, 2 .. 10 and 1, 3 .. 11, log-variances their negatives
    logvar = -torch.arange(12.0).reshape(6, 2).double()
    expected = 0.5 * (logvar.square() + logvar.exp() - 1 - logvar)
    torch.testing.assert_close(table().rates, expected.mean(0))
    codes = CodeTable.encode(Tilted(), Tiny(), batch_size=7)
    assert codes.logvars is None
    square = sum(i * i for i in range(48)) / 48
    # (E mean^2 + variance - 1) / 2: variances 1 and 2
    expected = torch.tensor([square / 2, (4 * square + 1) / 2], dtype=torch.float64)
    torch.testing.assert_close(codes.rates, expected)


def test_samples_of_points_are_the_points_and_of_covariances_they_are_not_kept():
    points = CodeTable.encode(BarModel(), Bars())
    assert (points.rates, points.logvars) == (None, None)
    generator = torch.Generator().manual_seed(0)
    assert torch.equal(points.sample(generator), points.means)
    with pytest.raises(ValueError, match="samples of them are not kept"):
        CodeTable.encode(Tilted(), Tiny()).sample(generator)


@pytest.mark.parametrize("dataset", [Bars(), LabelledBars()])
def test_pictures_that_are_no_grid_keep_their_labels(dataset, tmp_path):
    codes = CodeTable.encode(BarModel(), dataset, batch_size=7)
    rows = torch.arange(60)
    torch.testing.assert_close(codes.means, torch.stack([rows % 6, rows // 6], 1).float())
    codes.save(tmp_path / "codes.npz")
    for kept in (codes, CodeTable.load(tmp_path / "codes.npz")):
        assert torch.equal(kept.means, codes.means)
        assert (kept.grid, kept.logvars, kept.rates) == (None, None, None)
        assert (kept.names, kept.fingerprint) == (dataset.names, "bars-of-the-tests")
        if dataset.names:
            assert kept.factors is not None
            assert kept.factors[6:9].tolist() == [[0, -1], [1, 1], [2, 1]]
        else:
            assert kept.factors is None


def test_rates_without_variances_are_saved(tmp_path):
    codes = CodeTable.encode(Tilted(), Tiny())
    codes.save(tmp_path / "codes.npz")
    loaded = CodeTable.load(tmp_path / "codes.npz")
    assert loaded.rates is not None
    assert codes.rates is not None
    assert torch.equal(loaded.rates, codes.rates)
    assert (loaded.logvars, loaded.grid) == (None, Tiny().grid)


def test_files_of_the_first_format_are_loaded(tmp_path):
    path, numbers = tmp_path / "codes.npz", np.zeros((6, 2), np.float32)
    held = {"means": numbers, "names": ["shape", "scale"], "sizes": [2, 3], "fingerprint": "old"}
    np.savez(path, format="disent codes 1", logvars=numbers, **held)
    assert (CodeTable.load(path).grid, CodeTable.load(path).fingerprint) == (GRID, "old")
    np.savez(path, format="disent codes 1", **held)
    with pytest.raises(ValueError, match="it has no log-variances"):
        CodeTable.load(path)


def test_labels_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"factors has shape \[3, 2\], but \[4, 1\] is wanted"):
        CodeTable(torch.zeros(4, 2), None, None, names=("x",), factors=torch.zeros(3, 2).long())


def test_a_subset_takes_every_nth_picture_with_its_labels():
    part = Subset.at_most(LabelledBars(), 20)
    assert (len(part), part.size, part.names) == (20, (28, 28), ("place", "brightness"))
    assert part.fingerprint == "bars-of-the-tests[::3]"
    index = torch.tensor([0, 19])
    assert torch.equal(part.images(index), Bars().images(torch.tensor([0, 57])))
    labels = part.factors(index)
    assert labels is not None
    assert labels.tolist() == [[0, -1], [3, -1]]
    with pytest.raises(ValueError, match="stride must be >= 1, got 0"):
        Subset(Bars(), 0)
