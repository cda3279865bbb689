# SPDX-License-Identifier: Apache-2.0
"""Options that are long or odd on purpose are refused at once."""

import time

import pandas as pd
import pytest

from disent.config.presets import resolve_presets
from disent.data.correlated import correlation_weights
from disent.runs.selection import select_runs
from tests.data.tiny import Tiny


@pytest.mark.parametrize("text", [" " * 20_000, "a" + " " * 20_000, "a ~" + " " * 20_000 + "~"])
def test_a_long_blank_condition_is_refused_at_once(text):
    start = time.monotonic()
    with pytest.raises(ValueError, match="is no condition"):
        select_runs(pd.DataFrame({"run": ["a"]}), [text])
    with pytest.raises(ValueError, match="correlated is"):
        correlation_weights(Tiny().grid, text)
    assert time.monotonic() - start < 2


def test_a_config_that_unfolds_without_end_is_refused_before_it_is_parsed(tmp_path):
    file = tmp_path / "some.yaml"
    file.write_text("model: &a {init_args: *a}\n")
    for words in (["--config", str(file)], [f"--config={file}"]):
        with pytest.raises(ValueError, match=r"some\.yaml is not YAML: it is nested"):
            resolve_presets(words)
