# SPDX-License-Identifier: Apache-2.0
"""Figures of the latent space, by what they contain."""

import numpy as np
import pytest
import torch

from disent.figures import (
    examples_of_settings,
    jacobian_alignment,
    latent_pairs,
    manifold,
    polarised_regime,
    posteriors_over_prior,
)
from disent.figures.examples import SettingExamples
from disent.figures.manifold import gaussian_quantiles


def normal(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def texts(figure):
    return [text.get_text() for text in figure.texts]


class TestLatentPairs:
    def test_latents_are_by_rate_and_faint_ones_marked(self):
        figure = latent_pairs(normal(50, 3), torch.tensor([0.0, 3.0, 1.0]), latents=3)
        titles = [title for axes in figure.axes if (title := axes.get_title(loc="left"))]
        assert titles == ["z1\n3.00 nats", "z2\n1.00 nats", "z0\n0.00 nats\nfaint"]
        assert len(figure.axes) == 6  # the lower triangle with its diagonal

    def test_points_are_the_codes_coloured_by_the_factor(self):
        means, factor = normal(50, 2), torch.arange(50)
        figure = latent_pairs(means, torch.tensor([2.0, 1.0]), factor=factor, factor_name="pos_x")
        (points,) = [axes.collections[0] for axes in figure.axes if axes.collections[:1]][:1]
        drawn = np.asarray(points.get_offsets())
        order = np.argsort(np.asarray(points.get_array()))
        np.testing.assert_allclose(drawn[order], means.numpy(), atol=1e-6)
        assert "pos_x" in [axes.get_title(loc="left") for axes in figure.axes]

    def test_no_more_than_two_thousand_points_are_drawn(self):
        figure = latent_pairs(normal(5000, 2), torch.tensor([2.0, 1.0]))
        counts = [len(np.asarray(c.get_offsets())) for a in figure.axes for c in a.collections]
        assert counts == [2000]

    def test_what_does_not_fit_is_an_error(self):
        with pytest.raises(ValueError, match="one rate a latent"):
            latent_pairs(normal(5, 2), torch.ones(3))


class TestPosteriors:
    def test_columns_are_of_high_low_and_zero_kl(self):
        means = normal(500, 3) * torch.tensor([1.0, 0.0, 0.7])
        stds = torch.tensor([0.05, 1.0, 0.7]).expand(500, 3)
        figure = posteriors_over_prior(means, stds)
        titles = [axes.get_title(loc="left") for axes in figure.axes]
        names = [title.split()[0] for title in titles if title]
        assert names == ["z0", "z2", "z1"]
        assert "faint" in next(title for title in titles if title.startswith("z1"))

    def test_densities_integrate_to_one_and_a_faint_one_is_the_prior(self):
        figure = posteriors_over_prior(torch.zeros(20, 1), torch.ones(20, 1), pictures=2)
        for axes in figure.axes:
            curves = [np.asarray(line.get_xydata()) for line in axes.lines]
            for curve in curves:
                assert np.trapezoid(curve[:, 1], curve[:, 0]) == pytest.approx(1, abs=1e-3)
            np.testing.assert_allclose(curves[0], curves[-1], atol=1e-9)

    def test_a_deviation_of_zero_is_an_error(self):
        with pytest.raises(ValueError, match="positive"):
            posteriors_over_prior(torch.zeros(2, 1), torch.zeros(2, 1))


class TestManifold:
    def test_quantiles_cut_the_prior_into_equal_parts(self):
        inner = torch.distributions.Normal(0, 1).cdf(gaussian_quantiles(4))
        torch.testing.assert_close(inner, torch.tensor([0.125, 0.375, 0.625, 0.875]))

    def test_rows_and_columns_are_named_by_the_values(self):
        images = torch.rand(2, 2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        figure = manifold(images, quantiles=gaussian_quantiles(2), latents=(4, 1))
        (axes,) = figure.axes
        assert [t.get_text() for t in axes.get_xticklabels()] == ["\N{MINUS SIGN}0.67", "+0.67"]
        said = " ".join(texts(figure)).replace("\n", " ")
        assert "z4 (to the right) and z1 (downwards)" in said
        with pytest.raises(ValueError, match="two that differ"):
            manifold(images, quantiles=gaussian_quantiles(2), latents=(1, 1))
        with pytest.raises(ValueError, match="ascending"):
            manifold(images, quantiles=torch.tensor([1.0, -1.0]), latents=(0, 1))


class TestExamples:
    def test_a_row_a_setting_with_its_place_on_the_plane(self):
        pictures = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
        row = SettingExamples("beta 4", 9.04, 20.0, pictures, pictures, pictures[0])
        (axes,) = examples_of_settings(pictures, [row]).axes
        labels = [text.get_text() for text in axes.get_yticklabels()]
        assert labels == ["original", "beta 4\nR 9.0   D 20.0\nELBO \N{MINUS SIGN}29.0"]
        columns = [text.get_text() for text in axes.get_xticklabels()]
        assert columns == ["reconstructions", "samples", "average"]
        with pytest.raises(ValueError, match="a reconstruction of each original"):
            examples_of_settings(pictures, [row._replace(average=pictures)])
        with pytest.raises(ValueError, match="no setting"):
            examples_of_settings(pictures, [])


class TestRegime:
    def test_bars_are_the_variance_of_the_means_and_points_the_posterior_variance(self):
        means = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
        logvars = torch.tensor([[-20.0, 0.0], [-20.0, 0.0]])
        (axes,) = polarised_regime(means, logvars, ["active", "passive"]).axes
        assert [bar.get_height() for bar in axes.containers[0]] == [1.0, 0.0]
        points = next(line for line in axes.lines if line.get_marker() == "o")
        np.testing.assert_allclose(np.asarray(points.get_xydata())[:, 1], [0, 1], atol=1e-6)
        names = [text.get_text() for text in axes.get_xticklabels()]
        assert names == ["z0\nactive", "z1\npassive"]

    def test_the_largest_cosine_of_a_row_is_framed_and_chance_is_told(self):
        figure = jacobian_alignment(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), chance=0.61)
        (axes,) = figure.axes
        middles = [frame.get_extents().get_points().mean(0) for frame in axes.patches]
        places = axes.transData.inverted().transform(middles)
        assert places.round(6).tolist() == [[1, 0], [0, 1]]
        assert any("Chance: 0.61" in text for text in texts(figure))
        with pytest.raises(ValueError, match="absolute values"):
            jacobian_alignment(torch.tensor([[-0.5]]), chance=0.61)
