# SPDX-License-Identifier: Apache-2.0
"""The report without a mouse, in a real browser: every control is reached, seen, named and acts."""

import pytest

from tests.report.test_chromium import (  # noqa: F401  (fixtures)
    browser,
    column,
    contrast,
    opened,
    pytestmark,
    scroll_through,
)

CONTROLS = "a[href], button, input, select, summary, [tabindex='0']"
# those that can be reached now, in the order of the page
LISTED = f"""() => [...document.querySelectorAll("{CONTROLS}")]
    .filter((e) => e.checkVisibility({{ visibilityProperty: true }}))
    .map((e, i) => {{ e.dataset.stop = i; return i; }})"""
# where the focus is: which control, its ring, and whether it is on the screen and on top there
FOCUSED = """() => {
    const e = document.activeElement;
    const [style, box] = [getComputedStyle(e), e.getBoundingClientRect()];
    const middle = (from, to, end) => (Math.max(0, from) + Math.min(end, to)) / 2;
    const hit = document.elementFromPoint(middle(box.left, box.right, innerWidth),
        middle(box.top, box.bottom, innerHeight)); // of the part that is on the screen
    return { stop: e.dataset.stop, html: e.outerHTML.slice(0, 120), ring: style.outlineStyle,
        width: parseFloat(style.outlineWidth), colour: style.outlineColor,
        paper: getComputedStyle(document.body).backgroundColor,
        seen: Boolean(hit)
            && (e.contains(hit) || hit.contains(e) || e.labels?.[0]?.contains(hit)) };
}"""


class Keys:
    """A page and its keyboard."""

    def __init__(self, page):
        self.page, self.press = page, page.keyboard.press
        self.client = page.context.new_cdp_session(page)

    def focus(self):
        return self.page.evaluate(FOCUSED)

    def role_and_name(self):
        """Of what has the focus, as Chromium tells them to a screen reader."""
        asked = {"expression": "document.activeElement"}
        found = self.client.send("Runtime.evaluate", asked)["result"]["objectId"]
        tree = {"objectId": found, "fetchRelatives": False}
        (node, *_) = self.client.send("Accessibility.getPartialAXTree", tree)["nodes"]
        return node["role"]["value"], node.get("name", {}).get("value", "")

    def at(self, place):
        return self.page.evaluate("place => document.activeElement.matches(place)", place)


@pytest.fixture(params=[(1280, "light"), (400, "dark")], ids=["wide", "phone"])
def keys(opened, request):  # noqa: F811
    width, scheme = request.param
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    scroll_through(page)
    return Keys(page)


def test_tab_reaches_every_control_in_order_with_a_ring_and_a_name(keys):
    wanted = keys.page.evaluate(LISTED)
    reached, hidden, bare, unnamed = [], [], [], []
    for _ in range(len(wanted) + 5):
        keys.press("Tab")
        now = keys.focus()
        if now["stop"] is None or int(now["stop"]) in reached:
            break
        reached.append(int(now["stop"]))
        role, name = keys.role_and_name()
        if not name.strip():
            unnamed.append((role, now["html"]))
        if now["ring"] == "none" or now["width"] < 2 or contrast(now["colour"], now["paper"]) < 3:
            bare.append(now["html"])
        if not now["seen"]:
            hidden.append(now["html"])
    assert reached == wanted
    assert len(reached) > 60
    assert unnamed == []
    assert bare == []
    assert hidden == []


def test_and_back_again(keys):
    wanted = keys.page.evaluate(LISTED)
    reached, hidden = [], []
    for _ in wanted:
        keys.press("Shift+Tab")
        now = keys.focus()
        reached.append(int(now["stop"]))
        hidden += [] if now["seen"] else [now["html"]]
    assert reached == wanted[::-1]
    assert hidden == []


@pytest.fixture
def one(opened):  # noqa: F811
    return Keys(opened())


def test_a_column_is_sorted_by_enter_and_by_space_and_keeps_the_focus(one):
    head = one.page.locator("#runs-table th[data-name=mig]")
    head.get_by_role("button").focus()
    one.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    rising = [float(text) for text in column(one.page, "mig") if text]
    assert rising == sorted(rising)
    one.press("Space")
    assert head.get_attribute("aria-sort") == "descending"
    assert one.at("th[data-name=mig] button")


def test_the_chooser_opens_acts_and_closes(one):
    one.page.locator("#table .chooser summary").focus()
    one.press("Space")
    one.press("Tab")
    assert one.at("#columns input")
    name = one.role_and_name()[1]
    heads = one.page.locator("#runs-table thead button")
    before = name in heads.all_inner_texts()
    one.press("Enter")
    assert (name in heads.all_inner_texts()) != before
    one.press("Space")
    assert (name in heads.all_inner_texts()) == before
    one.press("Escape")
    assert one.at("#table .chooser summary")
    assert one.page.locator("#table .chooser[open]").count() == 0


def test_escape_empties_the_filter(one):
    one.page.locator("#filter").focus()
    one.page.keyboard.type("C 25")
    assert one.page.locator("#count").inner_text() == "2 of 26 runs"
    one.press("Escape")
    assert one.page.locator("#count").inner_text() == "26 of 26 runs"
    assert one.at("#filter")


def test_a_run_is_opened_from_the_table_and_escape_goes_back(one):
    one.page.locator("#runs-table tbody a").nth(3).focus()
    one.press("Enter")
    one.page.wait_for_selector("#opened details[open] dl")
    one.page.wait_for_function("document.activeElement.matches('#opened details[open] summary')")
    one.press("Escape")
    assert one.page.locator("#opened details[open]").count() == 0
    assert one.at("#runs-table tbody tr:nth-child(4) a")
    one.press("Enter")  # the same link once more
    one.page.wait_for_selector("#opened details[open] dl")


def test_a_slider_moves_by_arrows_and_says_its_value(one):
    one.page.get_by_role("link", name="trained").focus()
    one.press("Enter")
    slider = one.page.locator("details[open] .slider").first
    slider.locator("input").focus()
    assert slider.locator("input").get_attribute("aria-valuetext") == "0.0"
    one.press("ArrowRight")
    assert slider.locator("output").inner_text() == "+0.5"
    assert slider.locator("input").get_attribute("aria-valuetext") == "+0.5"
    assert one.role_and_name()[0] == "slider"


def test_families_are_switched_by_keys(one):
    one.page.locator("#legend input").first.focus()
    one.press("Space")
    some = len(column(one.page, "run"))
    assert 0 < some < 26
    one.press("Enter")
    assert len(column(one.page, "run")) == 26
    one.page.locator("#families-none").focus()
    one.press("Enter")
    assert column(one.page, "run") == []


def test_the_table_can_be_skipped(one):
    one.page.locator("#table .chooser summary").focus()
    one.press("Tab")
    assert one.role_and_name() == ("link", "Skip the table")
    one.press("Enter")
    one.press("Tab")
    assert one.at("#families-all")


def test_light_and_dark_are_chosen_by_keys(one):
    paper = "getComputedStyle(document.body).backgroundColor"
    label = one.page.locator("figure svg text").first
    scroll_through(one.page)
    light = one.page.evaluate(paper)
    one.page.locator("#theme").focus()
    one.page.keyboard.type("dark")
    scroll_through(one.page)
    dark = one.page.evaluate(paper)
    assert contrast(light, dark) > 10
    assert contrast(label.evaluate("e => getComputedStyle(e).fill"), dark) > 7
    one.page.locator("#theme").focus()
    one.page.keyboard.type("light")
    scroll_through(one.page)
    assert one.page.evaluate(paper) == light
    assert contrast(label.evaluate("e => getComputedStyle(e).fill"), light) > 7
