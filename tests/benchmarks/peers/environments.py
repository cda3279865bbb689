# SPDX-License-Identifier: Apache-2.0
"""A virtual environment for each peer, with its pins, and the pictures that all of them read."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import platformdirs
import torch

from disent.data import DSprites

HERE = Path(__file__).parent
PEERS = ("nmichlo", "pythae")


def default_folder() -> Path:
    """Where environments and pictures are kept: DISENT_PEERS_DIR, or the user's cache."""
    chosen = os.environ.get("DISENT_PEERS_DIR")
    return Path(chosen or platformdirs.user_cache_dir("disent-peers"))


def pins(peer: str) -> dict[str, str]:
    """The pinned packages of a peer's environment, and their versions."""
    lines = (HERE / f"{peer}.txt").read_text(encoding="utf-8").splitlines()
    packages = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {package[0]: package[1] for package in packages}


def environment(peer: str, folder: Path) -> Path:
    """The interpreter of the peer's environment in `folder`, made anew where its pins changed."""
    home, wanted = folder / peer, HERE / f"{peer}.txt"
    python = home / "bin" / "python"
    if not is_made(peer, folder):
        print(f"making the environment of {peer} in {home}: a few minutes", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        # a folder of one's own packages would be found before those of the environment
        elsewhere = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "-r", wanted], check=True, env=elsewhere
        )
        _stamp(peer, folder).write_text(_identity(peer), encoding="utf-8")
    return python


def is_made(peer: str, folder: Path) -> bool:
    """Whether the peer's environment is there, with these pins and this version of Python."""
    stamp = _stamp(peer, folder)
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _identity(peer)


def _stamp(peer: str, folder: Path) -> Path:
    return folder / peer / "pins.txt"


def _identity(peer: str) -> str:
    return f"# Python {sys.version}\n{(HERE / f'{peer}.txt').read_text(encoding='utf-8')}"


def pictures(folder: Path) -> Path:
    """All pictures of our dSprites as uint8 of 0 and 255 in one .npy, 3 GB, written once."""
    file = folder / "dsprites.npy"
    if not file.exists():
        print(f"writing the pictures to {file}: 3 GB", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        dataset, temporary = DSprites(), file.with_suffix(".tmp")
        points = len(dataset.grid)
        array = np.lib.format.open_memmap(temporary, "w+", np.uint8, (points, 64, 64))
        for index in torch.arange(points).split(4096):
            array[int(index[0]) : int(index[-1]) + 1] = dataset.images(index)[:, 0].numpy()
        array.flush()
        temporary.replace(file)
    return file
