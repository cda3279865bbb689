# SPDX-License-Identifier: Apache-2.0
"""The report in a real browser: sliders, sorting, filtering, phone width, light and dark."""

import shutil

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
    cells = f"#runs-table tbody tr:not([hidden]) > :nth-child({names.index(name) + 1})"
    return page.locator(cells).all_inner_texts()


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
    assert set(column(page, "setting")) == {"C 25"}
    assert page.locator("#count").inner_text() == "2 of 26 runs"
    page.get_by_label("Filter").fill("")
    page.get_by_label("State").select_option("failed")
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_it_can_be_read_at_phone_width_in_light_and_dark(opened, width, scheme):
    page = opened(viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert contrast(ink, paper) > 10
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
