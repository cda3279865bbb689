# SPDX-License-Identifier: Apache-2.0
"""The notebooks run on the runs stored beside them, and use nothing that a user could not."""

import ast
import importlib
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ANALYSIS = Path(__file__).parents[2] / "analysis"
NOTEBOOKS = sorted(ANALYSIS.glob("*.ipynb"))
QUESTIONS = 10


def code(book):
    return [cell.source for cell in book.cells if cell.cell_type == "code"]


def read(path):
    return nbformat.read(path, as_version=4)


def test_there_are_ten():
    assert [int(path.name[:2]) for path in NOTEBOOKS] == list(range(1, QUESTIONS + 1))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_the_first_cell_names_the_runs_and_nothing_else_does(self, path):
        first, *rest = code(read(path))
        names = r"(?:RUNS?|RUNS, \w+, \w+) = "
        assert re.fullmatch(names + r'"runs/\w+"(, "runs/\w+")*', first)
        assert all((ANALYSIS / folder).is_dir() for folder in re.findall(r"runs/\w+", first))
        assert not [cell for cell in rest if "runs/" in cell]

    def test_it_is_short_and_stored_without_outputs(self, path):
        book = read(path)
        assert len(code(book)) <= 12
        assert not [cell for cell in book.cells if cell.get("outputs")]
        assert book.cells[0].cell_type == "markdown"

    def test_it_imports_public_names_only(self, path):
        source = "\n".join(code(read(path))).replace("%matplotlib inline", "")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("disent"):
                module = importlib.import_module(str(node.module))
                for alias in node.names:
                    assert not alias.name.startswith("_")
                    if node.module == "disent":  # a room, such as figures
                        importlib.import_module(f"disent.{alias.name}")
                    assert hasattr(module, alias.name)
                    assert (
                        alias.name in getattr(module, "__all__", [alias.name])
                        or node.module == "disent"
                    )

    @pytest.mark.slow
    def test_it_runs_on_the_stored_runs(self, path, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        book = read(path)
        client = NotebookClient(book, timeout=300, resources={"metadata": {"path": str(ANALYSIS)}})
        client.execute()
        shown = [output for cell in book.cells for output in cell.get("outputs", [])]
        assert not [o for o in shown if o.get("name") == "stderr"]
        pictures = [o for o in shown if "image/png" in o.get("data", {})]
        tables = [o for o in shown if "text/html" in o.get("data", {})]
        assert pictures or tables
