# SPDX-License-Identifier: Apache-2.0
"""The sbatch script of a sweep: its text, and what is refused; submission with odd answers."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from disent.cli.main import main
from disent.launch.slurm.array import render, submit
from disent.launch.slurm.profile import Profile, read_profile
from disent.launch.sweep.file import read_sweep
from disent.launch.workers.study import Study

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "slurm" / "array.sbatch"
PROFILES = sorted(p.stem for p in (ROOT / "slurm" / "profiles").glob("*.yaml"))
EXPECTED = Path(__file__).parents[1] / "expected"


def script(profile, *, sweep="quick", runs="/data/runs", folder="/home/you/disent", **more):
    file = ROOT / "sweeps" / f"{sweep}.yaml"
    if isinstance(profile, str):
        profile = read_profile(profile, ROOT / "slurm" / "profiles")
    given = Path(runs) / ".sweeps" / sweep / "slurm" / "0a1b2c3d" / file.name
    return render(
        TEMPLATE, read_sweep(file), given, profile, Path(runs), folder=Path(folder), **more
    )


@pytest.mark.parametrize("name", [*PROFILES, "chunks", "fleet", "fleets"])
def test_the_text_is_the_expected_one(name):
    more = {
        "chunks": {"chunk": 4},
        "fleet": {"fleet": True},
        "fleets": {"fleet": True, "chunk": 3},
    }.get(name)
    text = script("gpu", **more) if more else script(name)
    assert text == (EXPECTED / f"{name}.sbatch").read_text()
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


@pytest.mark.parametrize("file", sorted((ROOT / "slurm").glob("*.sbatch")), ids=lambda f: f.stem)
def test_plain_templates_are_bash(file):
    if file != TEMPLATE:
        subprocess.run(["bash", "-n", file], check=True)
        assert "exec " in file.read_text().splitlines()[-1] or "--trainer" in file.read_text()


def test_odd_paths_reach_the_command_whole(tmp_path):
    """The script is run by bash, with an srun that prints its arguments."""
    odd = tmp_path / """it's "a" $HOME 100% `x`; \\ é"""
    folder = tmp_path / "my folder"
    folder.mkdir()
    with pytest.raises(ValueError, match="cannot stand in an sbatch script"):
        script("local", runs=str(odd), folder=str(folder))
    odd = tmp_path / "it's a $HOME 100% `x`; é"
    text = script("local", runs=str(odd), folder=str(folder))
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "srun").write_text('#!/bin/bash\nprintf "%s\\n" "$PWD" "$@"\n')
    (fake / "srun").chmod(0o755)
    environment = os.environ | {"PATH": f"{fake}:{os.environ['PATH']}", "SLURM_ARRAY_TASK_ID": "3"}
    done = subprocess.run(
        ["bash"], input=text, env=environment | {"SLURM_CPUS_PER_TASK": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    words = done.stdout.splitlines()
    assert words[0] == str(folder)
    assert words[words.index("--runs") + 1] == str(odd)
    assert words[-2:] == ["--trial", "3"]
    log = next(line for line in text.splitlines() if "--output" in line)
    assert shlex.split(log.removeprefix("#SBATCH "))[0].startswith("--output=")
    assert "100%%" in log


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ({"time": "01:00:00", "gpu": 1}, "gpu is no entry of a profile. Did you mean gpus?"),
        ({"time": "01:00:00", "qqq": 1}, "qqq is no entry of a profile. Known are: time,"),
        ({"cpus": 4}, "time: is missing"),
        ({"time": 3600}, 'time is 3600, but "HH:MM:SS" in quotes is wanted'),
        ({"time": "1 hour"}, "time is '1 hour', but \"HH:MM:SS\""),
        ({"time": "1", "cpus": "four"}, "cpus is 'four', but a whole number from 1 on"),
        ({"time": "1", "throttle": 0}, "throttle is 0, but a whole number from 1 on"),
        ({"time": "1", "gpus": 8, "max_gpus": 4}, "8 are asked of a node that has 4"),
        ({"time": "1", "gpus": 3, "tasks": 2}, "gpus: 3 cannot be shared evenly by tasks: 2"),
        ({"time": "1", "mem": "4G\n#SBATCH --x"}, "but one line is wanted"),
        ({"time": "1", "modules": 3}, "modules is 3, but a list of lines is wanted"),
        (["time"], "holds no entries"),
    ],
)
def test_a_bad_profile_is_refused(content, answer, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(ValueError, match=re.escape(f"{file}")) as error:
        read_profile(file, tmp_path)
    assert answer in str(error.value)


@pytest.mark.parametrize("time", ["90", "100:00", "120:00:00", "1:30:00", "2-12", "2-12:00:00"])
def test_slurms_forms_of_a_time_are_taken(time, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({"time": time}))
    assert read_profile(file, tmp_path).time == time


def test_an_unknown_profile_lists_the_known(capsys):
    arguments = ["slurm", str(ROOT / "sweeps" / "quick.yaml"), "--profile", "a100", "--dry-run"]
    assert main([*arguments, "--template", str(TEMPLATE)]) == 1
    assert "there is no profile a100: no such file" in (said := capsys.readouterr().err)
    assert "container, cpu, gpu, local, node" in said


@pytest.mark.slow
def test_a_huge_sweep_is_refused_with_the_chunk_that_fits(tmp_path):
    file = tmp_path / "huge.yaml"
    axis = {"values": list(range(1000))}
    file.write_text(yaml.safe_dump({"method": "grid", "parameters": {"a": axis, "b": axis}}))
    with pytest.raises(ValueError, match=r"1,000,000 trials.*--chunk 1000"):
        render(TEMPLATE, read_sweep(file), file, Profile("1"), tmp_path)
    text = render(TEMPLATE, read_sweep(file), file, Profile("1"), tmp_path, chunk=1000)
    assert "--array=0-999\n" in text


def test_chunks_of_runs_on_several_ranks_are_refused():
    with pytest.raises(ValueError, match="an element of 4 processes runs one trial"):
        script("node", chunk=2)
    with pytest.raises(ValueError, match="an element of 4 processes runs one trial"):
        script("node", fleet=True)


def test_a_fleet_of_one_is_refused():
    with pytest.raises(ValueError, match="a fleet of one trial is a run alone"):
        script("gpu", fleet=True, chunk=1)


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    """Puts an sbatch on the path that answers as told."""
    (tmp_path / "bin").mkdir()

    def answer(body):
        file = tmp_path / "bin" / "sbatch"
        file.write_text(f"#!/bin/bash\n{body}\n")
        file.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
        return tmp_path / "out" / "array.sbatch"

    return answer


@pytest.mark.parametrize("said", ["71", "71;cluster"])
def test_the_number_of_the_job_is_read(sbatch, said):
    file = sbatch(f'test "$1" = --parsable && grep -q hello "$2" && echo "{said}"')
    assert submit("#!/bin/bash\necho hello\n", file) == "71"


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("echo 'sbatch: error: invalid partition' >&2; exit 1", "error: invalid partition"),
        ("echo Submitted", "answered 'Submitted', but a job number was expected"),
        ("exit 3", "sbatch refused"),
    ],
)
def test_what_sbatch_refuses_is_said(sbatch, body, answer):
    with pytest.raises(ValueError, match=re.escape(answer)):
        submit("#!/bin/bash\n", sbatch(body))


@pytest.mark.slow
def test_a_submission_keeps_the_sweep_file_and_retries_if_told(sbatch, sweep, tmp_path, capsys):
    runs, file = tmp_path / "runs", sweep(2, fail="true")
    assert main(["sweep", str(file), "--runs", str(runs)]) == 1
    script = sbatch("echo 71").parents[1] / "runs/.sweeps/counting/slurm/array.sbatch"
    words = ["slurm", str(file), "--profile", "local", "--runs", str(runs)]
    words += ["--template", str(TEMPLATE)]
    assert main(words) == 0
    (kept,) = script.parent.glob("*/counting.yaml")
    assert (given := kept.read_text()) == file.read_text()
    assert f"sweep {kept} --runs {runs}" in script.read_text()
    study = Study(read_sweep(file), runs)
    assert len(study.status().failed) == 2
    capsys.readouterr()
    assert main([*words, "--retry"]) == 0
    assert "again: counting-x1\nagain: counting-x2\n" in capsys.readouterr().out
    assert not Study(read_sweep(file), runs).status().failed
    assert "--retry" not in script.read_text()
    sweep(3, fail="true")
    assert main(words) == 0  # another file beside the first, whose array may still wait
    assert len(list(script.parent.glob("*/counting.yaml"))) == 2
    assert kept.read_text() == given


def test_without_slurm_the_dry_run_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"there is no sbatch here.*--dry-run"):
        submit("", tmp_path / "x.sbatch")
    assert not (tmp_path / "x.sbatch").exists()
