# SPDX-License-Identifier: Apache-2.0
"""Guides are true: links lead somewhere, and the files and Python names that they give exist."""

import ast
import importlib
import importlib.util
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
# where the project's own files lie; beside them a checkout may hold environments and runs
FOLDERS = (".ci", ".github", "analysis", "disent", "slurm", "sweeps", "tests")
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))]
)
HISTORY = ROOT / "CHANGELOG.md"  # names files as they were called then
FENCE = re.compile(r"^(`{3,}|~{3,})(\w*)[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)
INLINE = re.compile(r"\]\(\s*<?([^\s)>]+)>?[^)]*\)")  # [text](target "title"), ![text](target)
DEFINITION = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)", re.MULTILINE)
ATTRIBUTE = re.compile(r"<(?:a|img)\b[^>]*?\b(?:href|src)=[\"']([^\"']+)", re.IGNORECASE)
HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
ANCHOR = re.compile(r"<a\s+(?:id|name)=[\"']([^\"']+)", re.IGNORECASE)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)  # https: and its like
PLACE = re.compile(rf"(?<![\w./~-])(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./<>*-]*")
OPTION = re.compile(r"--(config|profile)[ =]([\w./-]+)")
BY_NAME = {"config": "disent/presets", "profile": "slurm/profiles"}


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return FENCE.sub("", text)


def code(text: str) -> Iterator[str]:
    """What stands in backticks, in blocks and within lines."""
    yield from (block[2] for block in FENCE.findall(text))
    yield from (span[1] for span in SPAN.findall(prose(text)))


def links(text: str) -> list[str]:
    """The targets of a page's links and pictures."""
    words = SPAN.sub("", prose(text))
    return [target for form in (INLINE, DEFINITION, ATTRIBUTE) for target in form.findall(words)]


def anchors(text: str) -> set[str]:
    """What a link may name behind #, as GitHub makes it of headings."""
    found, seen = set(ANCHOR.findall(prose(text))), Counter[str]()
    for heading in HEADING.findall(prose(text)):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def dead_links(page: Path, root: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    dead = []
    for link in links(read(page)):
        if ELSEWHERE.match(link):
            continue
        place, _, anchor = unquote(link).partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.is_relative_to(root) or not target.exists():
            dead.append(f"{link}: there is no {target}")
        elif anchor and (target.suffix != ".md" or anchor not in anchors(read(target))):
            dead.append(f"{link}: {target} has no heading {anchor}")
    return dead


def missing_files(text: str, root: Path) -> list[str]:
    """Files, folders, presets and profiles that a page's code names and that do not exist.

    Of disent/models/<name>.py, the folder before what is to be filled in must exist.
    """
    missing = []
    for piece in code(text):
        for place in PLACE.findall(piece):
            fixed = re.split(r"[^/]*[<*]", place, maxsplit=1)[0].rstrip(".")
            if not (root / fixed).exists():
                missing.append(place)
        for option, given in OPTION.findall(piece):
            named = root / BY_NAME[option] / f"{given}.yaml"
            if "/" not in given and not given.endswith(".yaml") and not named.is_file():
                missing.append(f"--{option} {given}")
    return missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestPage:
    def test_every_link_leads_somewhere(self, page):
        assert dead_links(page, ROOT) == []

    def test_every_file_that_is_named_exists(self, page):
        if page != HISTORY:
            assert missing_files(read(page), ROOT) == []

    def test_its_python_imports_what_there_is(self, page):
        blocks = FENCE.findall(read(page))
        for source in (block[2] for block in blocks if block[1] == "python"):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("disent"):
                    module = importlib.import_module(str(node.module))
                    assert [a.name for a in node.names if not has(module, a.name)] == []


def has(module: ModuleType, name: str) -> bool:
    """Whether `from module import name` works, for a submodule too."""
    if hasattr(module, name):
        return True
    return importlib.util.find_spec(f"{module.__name__}.{name}") is not None


def test_every_guide_is_looked_at():
    names = {str(page.relative_to(ROOT)) for page in PAGES}
    guides = ("sweeps", "slurm", "analysis", "disent/metrics", "disent/models")
    assert {"README.md", "CHANGELOG.md", ".github/CONTRIBUTING.md"} <= names
    assert {f"{folder}/README.md" for folder in guides} <= names


def test_every_guide_can_be_reached_from_the_readme():
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        seen.add(page)
        places = [link.partition("#")[0] for link in links(read(page)) if ":" not in link]
        targets = {(page.parent / place).resolve() for place in places if place.endswith(".md")}
        todo += targets - seen
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in seen] == []


def test_anchors_are_those_of_github():
    page = "# A *new* `name`, 2nd\n## Same\n## Same\n```sh\n# no heading\n```\n### [Link](x.md) #\n"
    assert anchors(page) == {"a-new-name-2nd", "same", "same-1", "link"}


def test_dead_links_are_found(tmp_path):
    (tmp_path / "there.md").write_text("# Here\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#here) ![c](gone.png) [d](there.md#gone) [e](../out.md)\n"
        "[f](https://example.org/gone) `[g](gone.md)` [h](#top) <img src='gone.svg'>\n"
        "```\n[i](gone.md)\n```\n[j]: gone.md\n# Top\n"
    )
    dead = [line.split(": ")[0] for line in dead_links(page, tmp_path)]
    assert dead == ["gone.png", "there.md#gone", "../out.md", "gone.md", "gone.svg"]


def test_missing_files_are_found(tmp_path):
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "there.yaml").touch()
    text = (
        "`sweeps/there.yaml` `sweeps/gone.yaml` sweeps/prose.yaml `sweeps/<name>.yaml`\n"
        "`slurm/profiles/<name>.yaml` `runs/NAME`\n"
        "```sh\ndisent sweep sweeps/gone2.yaml\ndisent fit --config gone --profile my.yaml\n```\n"
    )
    assert missing_files(text, tmp_path) == [
        "sweeps/gone2.yaml",
        "--config gone",
        "sweeps/gone.yaml",
        "slurm/profiles/<name>.yaml",
    ]
