# SPDX-License-Identifier: Apache-2.0
"""What there is to choose from, with a line each and without torch; help; completion."""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from disent.cli.main import main
from disent.config.members import KINDS, ROOMS, members

ROOT = Path(__file__).parents[2]
NO_MEMBERS = {"load_run", "FactorDataModule"}


@pytest.mark.parametrize("kind", KINDS)
def test_all_are_listed_with_a_line_and_a_file(kind):
    found = members(kind)
    if kind in ROOMS:
        room = importlib.import_module(f"disent.{ROOMS[kind]}")
        assert {member.name for member in found} == set(room.__all__) - NO_MEMBERS
    else:
        folder = {"presets": "disent/presets", "sweeps": "sweeps", "profiles": "slurm/profiles"}
        files = (ROOT / folder[kind]).glob("*.yaml")
        assert {member.name for member in found} == {file.stem for file in files}
    for member in found:
        assert len(member.line) > 10, member
        assert not member.line.startswith("#")
        assert (ROOT / member.source).is_file(), member


def test_a_header_ends_where_its_table_begins():
    (quick,) = [member for member in members("sweeps") if member.name == "quick"]
    assert quick.line == "A first sweep, in minutes: the quickstart cut short, beta against seeds."


def test_lines_are_cut_at_the_width_of_the_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["list", "networks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert all(len(line) <= 80 for line in lines)
    assert lines[2].startswith("Linear ")
    assert lines[2].endswith("disent/networks/linear.py")


def test_without_a_kind_all_names_are_shown(capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out
    assert {f"{kind}:" for kind in KINDS} <= set(said.split())
    assert "BetaVAE" in said
    with pytest.raises(SystemExit):
        main(["list", "modles"])


@pytest.mark.parametrize("words", ["--help", "list", "list presets", "list models", "list --help"])
def test_listing_needs_no_torch(words):
    code = (
        "import sys\nfrom disent.cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "sys.exit('torch' in sys.modules or 'pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split()], capture_output=True, check=False
    )
    assert done.returncode == 0


def test_the_help_of_fit_is_a_page_and_all_of_it_is_there_when_asked(capsys):
    assert main(["fit", "--help"]) == 0
    page = capsys.readouterr().out
    lines = page.splitlines()
    assert len(lines) <= 80
    assert all(len(line) <= 100 for line in lines)
    assert sum(line.startswith("  disent fit ") for line in lines) == 2
    own = ("--config", "--model", "--data", "--model.network", "--run", "--again", "--fast")
    own += ("--loader.held_out", "--evaluate.every_n_steps", "--pictures.at_end", "--wandb.project")
    for option in (*own, "--seed_everything", "--trainer.max_steps"):
        assert f"{option} " in page, option
    assert "--help all: every option" in page
    assert not {"==SUPPRESS==", "Namespace"} & set(page.replace("(", " ").split())
    assert main(["fit", "--help", "all"]) == 0
    everything = capsys.readouterr().out
    assert "--trainer.gradient_clip_val" in everything
    assert len(everything.splitlines()) > 300


def test_bash_completes_commands_options_and_names(tmp_path, capsys):
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "disent.bash"
    script.write_text(capsys.readouterr().out)
    assert shutil.which("bash")
    asked = {
        "disent sw": "sweep",
        "disent list mod": "models",
        "disent fit --model Factor": "FactorVAE",
        "disent fit --model.network Bur": "Burgess2018",
        "disent fit --loader.h": "--loader.held_out",
        "disent fit --model.bet": "--model.beta",
        "disent sweep --wor": "--workers",
    }
    for line, wanted in asked.items():
        words = line.split()
        code = (
            f"source {script}; COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; "
            f"COMP_LINE='{line}'; COMP_POINT={len(line)}; "
            '$(complete -p disent | sed "s/.*-F \\([^ ]*\\) .*/\\1/") disent; '
            'printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=False)
        assert wanted in done.stdout.split(), (line, done.stdout, done.stderr)
