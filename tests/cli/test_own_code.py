# SPDX-License-Identifier: Apache-2.0
"""A class of one's own in the working folder: in every command, and after the file has changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from disent.runs import RunDir, load_runs
from tests.test_guides import shown

ROOT = Path(__file__).parents[2]
TEXT = (
    "--config locatello2019 --data tests.tiny.Squares --model.network mynet.Tiny "
    "--model.network.width 4 --loader.batch_size 8 --trainer.log_every_n_steps 5 "
    "--checkpoint_every_n_steps 5 --evaluate.metrics mig --pictures.at_end false --run own"
)
SMALL = TEXT.split()


class Shell:
    """Runs commands as the console script does, whose folder is first on Python's path.

    Several are divided by a word ";".
    """

    def __init__(self, folder: Path) -> None:
        self.work, self.script = folder / "work", folder / "bin" / "disent"
        self.work.mkdir()
        self.script.parent.mkdir()
        self.script.write_text(
            "import sys\nfrom disent.cli.main import main\n"
            "for words in ' '.join(sys.argv[1:]).split(' ; '):\n"
            "    if status := main(words.split()):\n        sys.exit(status)\n"
        )

    def __call__(self, *words: str, cwd: Path | None = None, path: str = "") -> tuple[int, str]:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}".strip(os.pathsep)}
        environment |= {"OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        done = subprocess.run(
            [sys.executable, str(self.script), *words],
            cwd=cwd or self.work,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """A working folder with mynet.py, and a run of 10 steps made there."""
    made = Shell(tmp_path_factory.mktemp("own"))
    (made.work / "mynet.py").write_text(shown("mynet.py"))
    status, said = made("fit", *SMALL, "--trainer.max_steps", "10")
    assert status == 0, said
    return made


@pytest.mark.slow
def test_a_run_keeps_the_file_and_its_hash(shell):
    run = RunDir(shell.work / "runs" / "own")
    assert (run.path / "source" / "mynet.py").read_text() == shown("mynet.py")
    kept = run.read_config()["provenance"]["source"]
    assert set(kept) >= {"mynet.py", "tests/tiny.py"}
    assert len(kept["mynet.py"]) == 64


@pytest.mark.slow
def test_every_command_finds_the_file_where_it_lies(shell):
    status, said = shell("traverse runs/own ; evaluate runs/own ; report ; runs")
    assert status == 0, said
    assert "mynet" not in said


@pytest.mark.slow
def test_elsewhere_it_is_said_what_to_type_and_nothing_of_the_run_is_imported(shell, tmp_path):
    run = shell.work / "runs" / "own"
    status, said = shell("evaluate", str(run), cwd=tmp_path)
    assert status == 1
    assert f"there is no file mynet.py in {tmp_path}" in said
    assert f"put PYTHONPATH={run}/source before it" in said
    assert len(said.strip().splitlines()) == 1
    status, said = shell("fit", "--config", str(run / "config.yaml"), cwd=tmp_path)
    assert status == 1
    assert f"put PYTHONPATH={run}/source before it" in said
    status, said = shell("evaluate", str(run), cwd=tmp_path, path=f"{run}/source")
    assert status == 0, said


@pytest.mark.slow
def test_a_sweep_finds_it_too(shell):
    parameters = {"model.network.width": {"values": [3, 5]}, "trainer.max_steps": {"value": 5}}
    words = [word for word in SMALL if word not in ("--run", "own")]
    command = ["${env}", "disent", "fit", *words, "${args}"]
    content = {"method": "grid", "parameters": parameters, "command": command}
    (shell.work / "widths.yaml").write_text(yaml.safe_dump(content))
    status, said = shell("fleet", "widths.yaml", "--runs", "swept", "--fleet-size", "2")
    assert status == 0, said
    table = load_runs(shell.work / "swept")
    assert sorted(table["model.network.width"]) == [3, 5]
    assert set(table["state"]) == {"finished"}


@pytest.mark.slow
def test_a_file_that_has_changed_is_said_when_the_run_is_scored_or_goes_on(shell):
    file = shell.work / "mynet.py"
    file.write_text(shown("mynet.py") + "\n# as good as before\n")
    try:
        status, said = shell("evaluate", "runs/own")
        assert status == 0, said
        assert "mynet.py is not what runs/own was made with" in said
        status, said = shell("fit", *SMALL, "--trainer.max_steps", "15")
        assert status == 0, said
        assert "mynet.py has changed since runs/own was begun with it" in said
    finally:
        file.write_text(shown("mynet.py"))
    kept = sorted(path.name for path in (shell.work / "runs/own/source").glob("mynet*.py"))
    assert len(kept) == 2


@pytest.mark.slow
def test_the_working_folder_hides_nothing(shell):
    (shell.work / "pandas.py").write_text("raise RuntimeError('hidden')\n")
    try:
        status, said = shell("runs")
        assert status == 0, said
    finally:
        (shell.work / "pandas.py").unlink()
