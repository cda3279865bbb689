# SPDX-License-Identifier: Apache-2.0
import pytest

from disent.models import load_run
from disent.runs import RunDir

CONFIG = """
model:
  class_path: disent.models.BetaVAE
  init_args: {network: disent.networks.Linear}
"""


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 torn"])
def test_a_damaged_checkpoint_names_its_file(tmp_path, content):
    run = RunDir(tmp_path)
    run.write_text(run.config, CONFIG)
    run.last.parent.mkdir()
    run.last.write_bytes(content)
    with pytest.raises(ValueError, match=r"last.ckpt is damaged"):
        load_run(tmp_path)
