# SPDX-License-Identifier: Apache-2.0
"""The comparison with the peers: its arithmetic, its pins, and programs that can be run here."""

import importlib.util
import json
import sys

import pytest

from disent.networks import Burgess2018
from tests.benchmarks.peers import environments, programs
from tests.benchmarks.peers.ratios import SCORES, TRAINING, paired, spread, values
from tests.benchmarks.peers.table import table, verdicts

SPEED, FIRST, MEMORY = TRAINING
FOLDER = environments.default_folder()
# in the second round the machine is half as fast for everyone
ROUNDS = [
    {
        name: {
            "steps_per_s": speed / slow,
            "first_step_s": first * slow,
            "peak_mb": 800.0,
            "loss": 9.0,
        }
        for name, speed, first in (("ours", 60.0, 4.0), ("peer", 20.0, 2.0), ("bare", 80.0, 8.0))
    }
    for slow in (1, 2)
]


def module(name: str):
    """A module that the programs import from their own folder."""
    spec = importlib.util.spec_from_file_location(name, environments.HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_ratios_are_of_the_same_round():
    assert paired(ROUNDS, "ours", "peer", SPEED) == [3.0, 3.0]
    assert paired(ROUNDS, "ours", "peer", FIRST) == [0.5, 0.5]  # twice as late: half as good
    assert paired(ROUNDS, "ours", "peer", SCORES[0]) == []
    assert values(ROUNDS, "ours", "steps_per_s") == [60.0, 30.0]
    assert spread([60.0, 30.0], ".1f") == "45.0 (30.0 to 60.0)"
    assert spread([], ".1f") == "none"


def test_the_table_says_where_a_peer_is_ahead():
    said = verdicts(ROUNDS, ["ours"], ["peer"], "bare")
    assert said == [
        "ours: 3.00 times the steps/s of the faster peer (goal: 3)",
        "ours: 0.75 of the steps/s of the bare compiled loop (goal: 0.90)",
        "peer is ahead of ours, process start to first step, s: 2.00 times",
    ]
    made = table(ROUNDS, ["ours"], ["peer", "bare"], "title")
    assert next(iter(made.columns[2].cells)) == "15.0 (10.0 to 20.0)\nours: 3.00 (3.00 to 3.00)x"


def test_an_answer_is_the_last_line_of_json():
    assert programs.answer('{"a": 1}\nbar {50%}\n{"a": 2}\nbar', "p") == {"a": 2}
    with pytest.raises(RuntimeError, match="no line of JSON"):
        programs.answer("bar 100%", "p")


def test_a_program_that_fails_is_heard(tmp_path):
    script = tmp_path / "fails.py"
    script.write_text("raise SystemExit('no pictures')")
    with pytest.raises(RuntimeError, match="no pictures"):
        programs.start(sys.executable, script, [], own=False)


def test_the_faster_setting_is_taken(monkeypatch):
    def train(program, python, arguments):
        return {"steps_per_s": 30.0 if arguments[-1] == "2" else 20.0}

    monkeypatch.setattr(programs, "train", train)
    chosen, found = programs.settled(programs.PEERS[0], "python", [])
    assert chosen.arguments == ("--workers", "2")
    assert found.endswith("taken: --workers 2")


def test_another_network_is_refused(monkeypatch):
    monkeypatch.setattr(programs, "start", lambda *_, **__: {"parameters": 7})
    with pytest.raises(RuntimeError, match="7 parameters"):
        programs.train(programs.PEERS[0], "python", [])


def test_pins_are_the_published_peers_and_our_torch():
    ours = (programs.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert environments.pins("nmichlo")["disent"] == "0.8.0"
    assert environments.pins("pythae")["pythae"] == "0.1.2"
    for peer in environments.PEERS:
        assert f"torch=={environments.pins(peer)['torch']}" in ours


def test_an_environment_is_made_again_when_its_pins_change(tmp_path):
    assert not environments.is_made("pythae", tmp_path)
    (tmp_path / "pythae").mkdir()
    (tmp_path / "pythae" / "pins.txt").write_text("pythae==0.1.1")
    assert not environments.is_made("pythae", tmp_path)


def test_everyone_trains_our_network():
    network, ours = module("network"), Burgess2018()
    for name in ("encoder", "decoder"):
        theirs = getattr(network, name)().state_dict()
        mine = getattr(ours, name).state_dict()
        assert {k: v.shape for k, v in theirs.items()} == {k: v.shape for k, v in mine.items()}
    assert sum(p.numel() for p in ours.parameters()) == programs.PARAMETERS


def test_the_stopwatch_leaves_out_the_warm_steps(monkeypatch):
    stopwatch = module("stopwatch")
    monkeypatch.setattr(stopwatch.time, "perf_counter", iter([10.0, 11.0, 13.0, 15.0]).__next__)
    monkeypatch.setattr(stopwatch.time, "time", lambda: 105.0)
    watch = stopwatch.Stopwatch(begun=100.0, warm=2)
    for step in range(1, 5):
        watch.step(step, loss=float(step))
    figures = watch.figures(parameters=7)
    assert figures["first_step_s"] == 5.0
    assert figures["steps_per_s"] == 0.5  # steps 3 and 4, from 11 s to 15 s
    assert figures["loss"] == 2.5
    assert figures["peak_mb"] > 1
    assert json.loads(json.dumps(figures)) == figures


@pytest.mark.slow
def test_a_training_of_ours_answers(tmp_path):
    program, few = programs.ours()[0], ["--warm", "2", "--steps", "3", "--pictures", "not read"]
    figures = programs.train(program, sys.executable, few)
    assert 0 < figures["loss"] < 1e5
    assert figures["first_step_s"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("program", programs.PEERS, ids=lambda program: program.name)
def test_a_training_of_a_peer_answers(program):
    pictures = FOLDER / "dsprites.npy"
    if not (environments.is_made(program.peer, FOLDER) and pictures.exists()):
        pytest.skip(f"no peers in {FOLDER}: python -m tests.benchmarks.peers makes them")
    python = environments.environment(program.peer, FOLDER)
    few = ["--warm", "2", "--steps", "3", "--pictures", str(pictures)]
    assert 0 < programs.train(program, python, few)["loss"] < 1e5
