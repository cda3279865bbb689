# SPDX-License-Identifier: Apache-2.0
"""The report in a real browser: sliders, sorting, filtering, phone width, light and dark."""

import shutil
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser, report):
    """Opens the report; at the end nothing was said to the console, and nothing was fetched."""
    said, contexts = [], []

    def open_page(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message) or dialog.dismiss())
        page.on("request", lambda request: said.append(request.url) if _outside(request) else None)
        page.goto(report.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


def _outside(request):
    return not request.url.startswith(("file:", "data:"))


def column(page, name):
    """The cells of a column that are shown, from top to bottom."""
    names = page.locator("#runs-table thead button").all_inner_texts()
    cells = f"#runs-table tbody tr > :nth-child({names.index(name) + 1})"
    return page.locator(cells).all_inner_texts()


def scroll_through(page):
    """Every figure is drawn when it is looked at: looks at all, and waits."""
    page.evaluate(
        """async () => {
            for (let y = 0; y < document.body.scrollHeight; y += 500) {
                scrollTo(0, y);
                await new Promise((done) => setTimeout(done, 60));
            }
            scrollTo(0, 0);
        }"""
    )
    page.wait_for_function("charts.every((chart) => chart.outer.hidden || chart.view)")


def drawn(page, place):
    """Names of the runs in a figure, as its view holds them."""
    script = """(place) => charts.find((chart) => chart.holder.closest(place)).view
        .data("runs").map((row) => row.run)"""
    return set(page.evaluate(script, place))


def test_the_table_sorts_by_numbers_both_ways(opened):
    page = opened()
    button = page.get_by_role("button", name="mig", exact=True)
    button.click()
    rising = [float(text) for text in column(page, "mig") if text]
    assert rising == sorted(rising)
    assert len(rising) == 26
    button.click()
    assert [float(text) for text in column(page, "mig") if text] == rising[::-1]
    assert button.locator("..").get_attribute("aria-sort") == "descending"


def test_the_table_filters_by_text_and_state(opened):
    page = opened()
    page.get_by_label("Filter").fill("C 25")
    assert set(column(page, "varies")) == {"C 25"}
    assert page.locator("#count").inner_text() == "2 of 26 runs"
    page.get_by_label("Filter").fill("")
    page.locator("#state").select_option("failed")
    assert column(page, "run") == ["study-00005"]


def test_a_slider_moves_its_picture(opened):
    page = opened()
    page.get_by_role("link", name="trained").click()
    slider = page.locator("details[open] .slider").first
    frame = slider.locator(".frame")
    middle = frame.screenshot()
    slider.locator("input").fill("10")
    assert slider.locator("output").inner_text() == "+2.5"
    assert frame.screenshot() != middle
    slider.locator("input").fill("5")
    assert frame.screenshot() == middle


def test_the_reader_chooses_columns(opened):
    page = opened()
    names = page.locator("#runs-table thead button")
    assert "strength" not in names.all_inner_texts()
    page.locator("#table .chooser summary").click()
    page.get_by_label("strength", exact=True).first.check()
    assert names.all_inner_texts()[-1] == "strength"
    assert {"1", "16", "100"} < set(column(page, "strength"))  # whole, as they were given
    page.get_by_label("mig", exact=True).first.uncheck()
    assert "mig" not in names.all_inner_texts()


def test_what_the_table_hides_is_hidden_in_the_figures(opened):
    page = opened()
    scroll_through(page)
    assert len(drawn(page, "#pair")) == 26
    page.get_by_label("Filter").fill("C 25")
    scroll_through(page)
    assert drawn(page, "#pair") == set(column(page, "run"))
    page.get_by_label("Filter").fill("")
    page.locator("#legend input").first.uncheck()  # a family
    scroll_through(page)
    assert 0 < len(column(page, "run")) < 26
    assert drawn(page, "#pair") == set(column(page, "run"))
    page.get_by_role("button", name="none", exact=True).click()
    assert column(page, "run") == []


def test_two_columns_are_drawn_against_each_other_and_a_click_opens_the_run(opened):
    page = opened()
    page.locator("#across").select_option("seed")
    page.locator("#up").select_option("sap")
    scroll_through(page)
    texts = page.locator("#pair svg text").all_text_contents()
    assert {"seed", "sap"} <= set(texts)
    page.locator("#pair svg .mark-symbol path").first.click(force=True)
    page.wait_for_selector("#opened details[open] dl")
    assert page.evaluate("location.hash").startswith("#run-")


def test_two_runs_stand_side_by_side(opened):
    page = opened()
    page.get_by_label("Left", exact=True).fill("study-00000")
    page.get_by_label("Right", exact=True).fill("study-00001")
    page.get_by_label("Right", exact=True).press("Enter")
    cells = page.locator("#beside tbody tr").filter(has_text="model.beta").locator("td")
    assert cells.all_inner_texts() == ["model.beta", "1", "2", "1"]
    assert page.locator("#beside .content").count() == 2


@pytest.mark.parametrize("width", [400, 1400])
def test_no_texts_lie_over_each_other_in_the_figures(opened, width):
    page = opened(viewport={"width": width, "height": 900})
    scroll_through(page)
    script = (Path(__file__).parent / "overlaps.js").read_text(encoding="utf-8")
    counted = page.evaluate(script)
    assert counted["texts"] > 100
    assert counted["found"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_can_be_read_at_phone_width_in_light_and_dark(opened, width, scheme):
    page = opened(viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert contrast(ink, paper) > 10
    scroll_through(page)
    label = page.locator("figure svg text").first
    assert contrast(label.evaluate("e => getComputedStyle(e).fill"), paper) > 7
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 14


def contrast(one, other):
    """Of two "rgb(r, g, b)", as WCAG 2.1 defines it: 1 to 21."""
    light, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    values = [int(part) / 255 for part in colour.strip("rgb()").split(", ")]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
