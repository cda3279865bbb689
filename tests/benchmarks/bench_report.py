# SPDX-License-Identifier: Apache-2.0
"""Seconds and megabytes of a report of 100 runs with traversals, and of the largest study's.

Run: python -m tests.benchmarks report
"""

import shutil
import tempfile
import time
from pathlib import Path

from disent.report import write_report
from tests.runs.study import write_run

RUNS, MANY = 100, 12_600
STORED = Path(__file__).parents[2] / "analysis" / "runs" / "first_look"
BROWSER = shutil.which("chromium")


def rows() -> list[tuple[str, str, str]]:
    """(what, figure, what was asked for)."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "runs"
        for number in range(RUNS):
            shutil.copytree(STORED, root / f"run-{number:03d}")
        few = _written(root, Path(folder) / "few.html")
        many = Path(folder) / "many"
        for number in range(MANY):
            write_run(many, number, logged=20)
        large = _written(many, Path(folder) / "many.html")
        opened = f"{_opened(Path(folder) / 'many.html'):.1f} s" if BROWSER else "no Chromium"
    return [
        (f"report of {RUNS} runs", few, "60 s, 30 MB"),
        (f"report of {MANY} made-up runs", large, "25 MB"),
        ("it opens in", opened, "3 s"),
    ]


def _written(root: Path, file: Path) -> str:
    begun = time.perf_counter()
    write_report(root, file)
    return f"{time.perf_counter() - begun:.1f} s, {file.stat().st_size / 1e6:.1f} MB"


def _opened(file: Path) -> float:
    """Seconds until the page is loaded and its script has run."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page()
        begun = time.perf_counter()
        page.goto(file.as_uri())
        page.wait_for_selector("#runs-table tbody tr")
        seconds = time.perf_counter() - begun
        browser.close()
    return seconds
