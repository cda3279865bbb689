# SPDX-License-Identifier: Apache-2.0
"""The pictures of a model whose code is known: latent 0 is x, latent 2 is y, latent 1 is dead."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from disent.codes import CodeTable
from disent.data.base import FactorDataset
from disent.figures.animation import Animation
from disent.gaussian import DiagonalGaussian
from disent.grid import FactorGrid
from disent.latents.pictures import draw_pictures, save_pictures
from disent.latents.traversal import Traversal, traverse

GRID = FactorGrid(("x", "y"), (4, 3))


class Blocks(FactorDataset):
    """A white block of 16 x 16 pixels at column x and row y."""

    grid, channels = GRID, 1

    @property
    def fingerprint(self) -> str:
        return "blocks"

    def images(self, index: Tensor) -> Tensor:
        x, y = self.grid.factors(index).T
        pictures = torch.zeros(len(index), 1, 4, 16, 4, 16, dtype=torch.uint8)
        pictures[torch.arange(len(index)), 0, y, :, x] = 255
        return pictures.reshape(-1, 1, 64, 64)


class BlockModel(nn.Module):
    """Finds the block, and draws it where the code says."""

    def __init__(self) -> None:
        super().__init__()
        self.part = nn.Identity()
        self.device = torch.device("cpu")

    def encode(self, x: Tensor) -> DiagonalGaussian:
        assert not self.training
        assert not torch.is_grad_enabled()
        lit = x.unflatten(2, (4, 16)).unflatten(4, (4, 16)).amax((1, 3, 5))  # [b, row, column]
        column, row = lit.amax(1).argmax(1), lit.amax(2).argmax(1)
        mean = torch.stack([column - 1.5, 0 * row, row - 1.0], 1)
        return DiagonalGaussian(mean, torch.tensor([-2.0, 0.0, -1.0]).expand_as(mean))

    def picture(self, z: Tensor) -> Tensor:
        x = (z[:, 0] + 1.5).round().clamp(0, 3).long()
        y = (z[:, 2] + 1).round().clamp(0, 2).long()
        return Blocks().batch(GRID.index(torch.stack([x, y], 1)))

    def reconstruct(self, x: Tensor) -> Tensor:
        return self.picture(self.encode(x).mean)


def labels(figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def shown(figure) -> np.ndarray:
    return np.asarray(figure.axes[0].images[0].get_array())


def note(figure) -> str:
    return figure.texts[1].get_text().replace("\n", " ")


def test_traverse_moves_one_latent_a_row():
    values = torch.tensor([-1.5, 0.5])
    images = traverse(BlockModel(), torch.tensor([0.5, 0.0, 1.0]), [2, 0], values)
    assert images.shape == (2, 2, 1, 64, 64)
    at = Blocks().batch(GRID.index(torch.tensor([[2, 0], [2, 2], [0, 2], [2, 2]])))
    assert torch.equal(images.flatten(0, 1), at)


def test_latents_are_ordered_by_rate_and_labelled_with_their_factor():
    figure = draw_pictures(BlockModel(), Blocks())["traversals"]
    # mean KL: (5/4 + e^-2 - 1 + 2) / 2 = 1.19; 0; (2/3 + e^-1 - 1 + 1) / 2 = 0.52
    assert labels(figure) == [
        "z0   1.2 nats\nx 1.00",
        "z2   0.5 nats\ny 1.00",
        "z1   0.00 nats\nfaint",
    ]
    assert shown(figure).shape == (3 * 66 - 2, 9 * 66 - 2)
    assert "code of picture 7 (x 2, y 1)" in note(figure)
    assert "from all 12 pictures" in note(figure)


def test_traversal_can_be_chosen():
    chosen = Traversal(latents=1, limit=1.5, columns=4, index=11)
    figure = draw_pictures(BlockModel(), Blocks(), traversal=chosen)["traversals"]
    assert labels(figure) == ["z0   1.2 nats\nx 1.00"]
    expected = Blocks().batch(GRID.where(y=2))  # picture 11 is x 3, y 2; x goes through 0 to 3
    for column in range(4):
        tile = shown(figure)[:, column * 66 : column * 66 + 64]
        np.testing.assert_array_equal(tile, expected[column, 0])
    assert "picture 11 (x 3, y 2)" in note(figure)


def test_a_code_table_gives_the_numbers():
    means = 2 * GRID.all_factors()[:, [1, 1, 0]].float()
    table = CodeTable(means, torch.zeros_like(means), GRID)
    figure = draw_pictures(BlockModel(), Blocks(), table=table)["traversals"]
    # KL = mean^2 / 2: (0 + 4 + 16 + 36) / 4 / 2 = 7; (0 + 4 + 16) / 3 / 2 = 3.3
    assert labels(figure) == [
        "z2   7.0 nats\nx 1.00",
        "z0   3.3 nats\ny 1.00",
        "z1   3.3 nats\ny 1.00",
    ]
    assert "12 pictures, evenly spread" in note(figure)


def test_reconstructions_of_a_perfect_model_equal_the_originals():
    picture = shown(draw_pictures(BlockModel(), Blocks())["reconstructions"])
    np.testing.assert_array_equal(picture[:64], picture[66:130])
    assert picture[:64].min() == 0


def test_interpolation_ends_at_its_two_pictures():
    figure = draw_pictures(BlockModel(), Blocks(), traversal=Traversal(columns=5))["interpolation"]
    picture = shown(figure)
    assert picture.shape == (4 * 66 - 2, 7 * 66 - 2)
    np.testing.assert_array_equal(picture[:, :64], picture[:, 66:130])
    np.testing.assert_array_equal(picture[:, -64:], picture[:, -130:-66])


def test_pictures_depend_on_the_seed_alone_and_disturb_nothing():
    model = BlockModel().train()
    model.part.eval()
    first = draw_pictures(model, Blocks(), seed=3)
    with torch.random.fork_rng():
        torch.manual_seed(99)
        second = draw_pictures(model, Blocks(), seed=3)
    other = draw_pictures(model, Blocks(), seed=4)
    assert (model.training, model.part.training) == (True, False)
    for name, figure in first.items():
        np.testing.assert_array_equal(shown(figure), shown(second[name]))
    assert not np.array_equal(shown(first["samples"]), shown(other["samples"]))


def test_drawing_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    draw_pictures(BlockModel(), Blocks())
    assert torch.equal(torch.get_rng_state(), state)


def test_curves_are_drawn_from_logged_steps_only():
    metrics = pd.DataFrame({"step": [1, 2], "loss": [2.0, 1.0]})
    expected = ["traversals", "reconstructions", "samples", "interpolation"]
    assert list(draw_pictures(BlockModel(), Blocks())) == expected
    assert "curves" in draw_pictures(BlockModel(), Blocks(), metrics=metrics)
    assert "curves" not in draw_pictures(BlockModel(), Blocks(), metrics=metrics.head(0))


def test_files_are_whole_and_nothing_else_is_left(tmp_path):
    drawn = draw_pictures(BlockModel(), Blocks())
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "samples.png").write_text("older")
    paths = save_pictures(drawn, tmp_path / "figures")
    assert [path.name for path in paths] == [f"{name}.png" for name in drawn]
    assert sorted((tmp_path / "figures").iterdir()) == sorted(paths)
    assert all(path.read_bytes().endswith(b"IEND\xaeB`\x82") for path in paths)


def test_a_failed_write_leaves_the_older_picture(tmp_path):
    class Broken:
        def savefig(self, file, **_) -> None:
            file.write_text("half")
            raise OSError("disk full")

    (tmp_path / "samples.png").write_text("older")
    with pytest.raises(OSError, match="disk full"):
        save_pictures({"samples": Broken()}, tmp_path)  # pyright: ignore[reportArgumentType]
    assert [path.name for path in tmp_path.iterdir()] == ["samples.png"]
    assert (tmp_path / "samples.png").read_text() == "older"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latents": 0}, "latents must be >= 1"),
        ({"limit": 0.0}, "range must be > 0"),
        ({"limit": float("nan")}, "range must be > 0"),
        ({"columns": 1}, "columns must be >= 2"),
        ({"index": 12}, "flat indices run from 0 to 11"),
        ({"index": -1}, "flat indices run from 0 to 11"),
    ],
)
def test_refuses(settings, message):
    with pytest.raises(ValueError, match=message):
        draw_pictures(BlockModel(), Blocks(), traversal=Traversal(**settings))


def test_a_film_moves_each_latent_there_and_back():
    """Of three latents: column, nothing, row; each by sin from the middle of the grid."""
    drawn = draw_pictures(BlockModel(), Blocks(), traversal=Traversal(limit=1.5, animated=True))
    film = drawn["traversals_animated"]
    assert isinstance(film, Animation)
    frames = film.frames
    assert frames.shape == (40, 1, 66, 3 * 66)
    tiles = [frames[:, :, :64, left : left + 64] for left in (0, 66, 132)]  # column first
    still = [tile for tile in tiles if torch.equal(tile, tile[:1].expand_as(tile))]
    assert len(still) == 1  # the latent that says nothing
    for tile in tiles:
        assert torch.equal(tile[0], tiles[0][0])  # all begin at the picture with the latent at 0
        assert torch.equal(tile[5], tile[15])  # on the way out, and back
    ends = [(tile[10], tile[30]) for tile in tiles if not any(tile is s for s in still)]
    assert all(not torch.equal(high, low) for high, low in ends)
    columns = [end[0].amax(0).argmax() for end in ends[0]]
    assert columns == [48, 0]  # 1.5 and -1.5 are the last and the first column
    assert "traversals_animated" not in draw_pictures(BlockModel(), Blocks())
