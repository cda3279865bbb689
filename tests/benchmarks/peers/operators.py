# SPDX-License-Identifier: Apache-2.0
"""Lets torchvision be imported where its compiled operators do not fit the build of PyTorch.

Importing this module acts, before anything else imports torchvision. A torchvision built for CUDA
beside a PyTorch built for CPUs cannot load its library, and then fails for want of two operators'
names. The names are declared here and never called: what the peer uses of torchvision is Python.
"""

import importlib.util
from pathlib import Path

import torch


def declare_what_is_missing() -> None:
    """Declares the two names, unless torchvision's library can be loaded and brings them."""
    spec = importlib.util.find_spec("torchvision")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for library in Path(folder).glob("_C*.so"):
            try:
                torch.ops.load_library(str(library))
                return
            except OSError:
                pass
    for name in ("nms", "qnms"):
        torch.library.define(
            f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        )


declare_what_is_missing()
