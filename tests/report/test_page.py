# SPDX-License-Identifier: Apache-2.0
"""The report as text: what it tells, that it needs nothing else, that nothing breaks out."""

import re
from html.parser import HTMLParser

import pytest

from disent.cli.main import main
from disent.report import write_report
from tests.runs.study import write_run


class Elements(HTMLParser):
    """Start tags with their attributes, and the text between tags."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data.strip())


@pytest.fixture(scope="module")
def page(report):
    return Elements(report.read_text(encoding="utf-8"))


def test_every_run_has_a_row_and_a_section(page):
    anchors = [a["id"] for tag, a in page.tags if tag == "details"]
    links = [a["href"] for tag, a in page.tags if tag == "a" and a["href"].startswith("#run-")]
    assert anchors == [f"run-{number}" for number in range(26)]
    assert links == [f"#{anchor}" for anchor in anchors]


def test_the_summary_counts_names_and_warns(page):
    text = " ".join(page.texts)
    assert "26 runs: 25 finished, 1 failed." in text
    assert "AnnealedVAE: C 5, C 10, C 25, C 50, C 75, C 100; 2 seeds." in text
    assert "of the variance of mig" in text
    assert "study-00005" in text


def test_figures_of_all_families_are_drawn(page):
    labels = [a["aria-label"] for tag, a in page.tags if tag == "svg"]
    for title in (
        "Rate and distortion",
        "mig against strength",
        "What wakes when",
        "Do the scores agree?",
        "Setting or seed?",
        "training curves of trained",
    ):
        assert title in labels
    assert "Not drawn" not in " ".join(page.texts)


def test_a_trained_run_has_sliders_and_a_made_up_one_says_why_not(page):
    sliders = [a for tag, a in page.tags if tag == "input" and a.get("type") == "range"]
    assert len(sliders) == 4  # two runs of two active latents
    assert all(slider["data-values"].split(" ")[5] == "0.0" for slider in sliders)
    assert sum("no traversal" in text for text in page.texts) == 24


def test_it_needs_nothing_but_itself(report):
    text = report.read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?!#|data:)', text)
    assert "@import" not in text
    assert set(re.findall(r"https?://[^\"' <)]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_what_runs_say_stays_text(page):
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in {tag for tag, _ in page.tags}
    assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]
    assert "<img-src=x-onerror=alert(1)>" in page.texts
    assert any("</script><script>alert(2)</script>" in text for text in page.texts)


def test_no_runs_are_an_error_and_the_old_report_stays(tmp_path, capsys):
    (tmp_path / "report.html").write_text("old")
    assert main(["report", str(tmp_path)]) == 1
    assert "no runs in" in capsys.readouterr().err
    assert (tmp_path / "report.html").read_text() == "old"


def test_one_broken_run_does_not_spoil_the_rest(tmp_path):
    write_run(tmp_path, 0, logged=2)
    broken = write_run(tmp_path, 1, logged=2)
    broken.metrics.write_text("not a log")
    broken.scores.write_text('{"scores": {"mig": 3}}')
    torn = write_run(tmp_path, 2, logged=2)
    torn.config.write_text("model: [")
    assert write_report(tmp_path, tmp_path / "report.html") == 3
    page = Elements((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "unreadable" in page.texts
