# SPDX-License-Identifier: Apache-2.0
"""Damaged files give a result or one line: no traceback, no hang, no file left, no code run."""

import pytest

from tests.faults.attempt import little_memory
from tests.faults.every import EVERY, shares
from tests.faults.kinds import HARMLESS, Kind, tried

INPUTS, SEED = 500, 0


@pytest.mark.parametrize(("kind", "inputs"), [
    pytest.param(kind, inputs, id=kind.name) for kind, inputs in shares(EVERY, INPUTS)
])  # fmt: skip
def test_damaged_files_are_read_or_refused_in_one_line(kind: Kind, inputs: int, tmp_path):
    with little_memory():
        found = tried(kind, inputs, SEED, tmp_path)
    faults = [f"{n} ({done}) {o.what}: {o.told}" for n, done, o in found if o.what not in HARMLESS]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_sound_files_are_read(kind: Kind, tmp_path):
    kind.sound(tmp_path)
    outcome = kind.read(tmp_path)
    assert outcome.what == "result", outcome.told
