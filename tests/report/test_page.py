# SPDX-License-Identifier: Apache-2.0
"""The report as text: what it tells, that it needs nothing else, that nothing breaks out."""

import json
import re
from html.parser import HTMLParser

import pytest

from disent.cli.main import main
from disent.report import write_report
from disent.report.library import drawing_script
from tests.runs.study import write_run


class Elements(HTMLParser):
    """Start tags with their attributes, scripts with theirs, and the text between tags."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.scripts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append(("", dict(attrs)))

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script" and self.cdata_elem == "script":
            text, attrs = self.scripts[-1]
            self.scripts[-1] = (text + data, attrs)
        else:
            self.texts.append(data.strip())


@pytest.fixture(scope="module")
def page(report):
    return Elements(report.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def data(page):
    """What the page's script reads."""
    place = next(i for i, (_, a) in enumerate(page.scripts) if a.get("id") == "data")
    return json.loads(page.scripts[place][0])


def test_every_run_has_a_row_and_a_section(page, data):
    assert data["rows"] == 26
    assert len(data["columns"]["run"]["codes"]) == 26
    parts = [a["id"] for tag, a in page.tags if tag == "template"]
    assert parts == [f"parts-{number}" for number in range(26)]
    assert data["drawn"] == list(range(26))


def test_family_and_scores_are_shown_first_and_the_rest_can_be_chosen(data):
    assert data["shown"][:4] == ["family", "setting", "state", "seed"]
    assert "mig" in data["shown"]
    assert "strength" in data["groups"]["settings"]
    assert {"AnnealedVAE", "BetaVAE"} <= {short.split(",")[0] for short, _, _ in data["families"]}
    assert sum(runs for _, _, runs in data["families"]) == 26


def test_the_summary_counts_names_and_warns(page):
    text = " ".join(page.texts)
    assert "26 runs: 25 finished, 1 failed." in text
    assert "AnnealedVAE: C 5, C 10, C 25, C 50, C 75, C 100; 2 seeds." in text
    assert "of the variance of mig" in text
    assert "study-00005" in text


def test_figures_are_drawn_of_what_there_is(page, data):
    assert set(data["bars"]) == {"shares", "importance"}
    cells = [cell for cell in data["bars"]["shares"]["cells"] if cell["name"] == "mig"]
    assert sum(cell["value"] for cell in cells) == pytest.approx(1, abs=0.002)
    assert "What wakes when" in page.texts
    assert "Not drawn" not in " ".join(page.texts)
    ramp = next(json.loads(text) for text, a in page.scripts if a.get("class") == "curves")
    assert any(", wakes at " in line for line in ramp[0]["lines"])


def test_a_trained_run_has_sliders_and_a_made_up_one_says_why_not(page):
    sliders = [a for tag, a in page.tags if tag == "input" and a.get("type") == "range"]
    assert len(sliders) == 4  # two runs of two active latents
    assert all(slider["data-values"].split(" ")[5] == "0.0" for slider in sliders)
    assert sum("no traversal" in text for text in page.texts) == 24


def test_it_needs_nothing_but_itself(report):
    text = report.read_text(encoding="utf-8")
    assert drawing_script() in text
    text = text.replace(drawing_script(), "")
    assert not re.findall(r'(?:src|href)="(?!#|data:)', text)
    assert "@import" not in text
    assert re.findall(r"https?://[^\"' <)]+", text) == []


def test_what_runs_say_stays_text(page, data):
    assert len([a for _, a in page.scripts if "type" not in a]) == 2  # the library and our own
    assert {a.get("type") for _, a in page.scripts} == {None, "application/json"}
    assert "img" not in {tag for tag, _ in page.tags}
    assert not [a for _, a in page.tags if any(name.startswith("on") for name in a)]
    assert "<img-src=x-onerror=alert(1)>" in data["columns"]["run"]["levels"]
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


def test_of_many_runs_one_of_each_setting_is_drawn_first(tmp_path):
    for number in range(30):
        write_run(tmp_path, number, logged=2)
    assert write_report(tmp_path, tmp_path / "report.html", drawn=13) == 30
    page = Elements((tmp_path / "report.html").read_text(encoding="utf-8"))
    parts = [a["id"] for tag, a in page.tags if tag == "template"]
    assert parts == [f"parts-{number}" for number in range(13)]  # twelve settings, and a second
