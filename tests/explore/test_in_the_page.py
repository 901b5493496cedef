"""How an explorer of the built book behaves for a reader: mouse, keyboard, touch, links, paper, no JavaScript."""

from __future__ import annotations

import pytest

PAGE = "book/the-database-nobody-wanted.html"
COMPLETENESS = "#explorer-completeness"


@pytest.fixture
def open_page(browser, site):
    """Opens the chapter; keyword arguments are the browser context's."""
    contexts = []

    def opened(address: str = PAGE, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{site}/{address}")
        return page

    yield opened
    for context in contexts:
        context.close()


def look(page, explorer: str = COMPLETENESS) -> dict:
    """Picture, sentence and table as they stand."""
    return page.evaluate(
        """selector => { const figure = document.querySelector(selector); return {
            picture: figure.querySelector(".explorer-picture svg").innerHTML,
            sentence: figure.querySelector(".explorer-sentence").textContent,
            table: figure.querySelector("tbody").textContent,
            said: figure.querySelector(".explorer-status").textContent }; }""",
        explorer,
    )


def drawn_live(page, explorer: str = COMPLETENESS):
    page.locator(explorer).scroll_into_view_if_needed()
    page.wait_for_selector(f"{explorer}[data-live=yes]")
    return page.locator(explorer)


def test_keyboard_alone_moves_picture_sentence_and_table_together(open_page):
    page = open_page()
    figure = drawn_live(page)
    before = look(page)
    figure.locator("select").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(100)
    after = look(page)
    assert all(before[part] != after[part] for part in ("picture", "sentence", "table"))
    assert "month 10" in after["sentence"]
    assert figure.locator("output").inner_text() == "10"


def test_the_sentence_is_announced_when_a_move_ends_and_not_on_the_way(open_page):
    page = open_page()
    figure = drawn_live(page)
    slider = figure.locator("input[type=range]")
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.6, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, middle, steps=5)
    dragging = look(page)
    assert dragging["said"] == ""
    page.mouse.up()
    done = look(page)
    assert done["said"] == done["sentence"] == dragging["sentence"]


def test_reset_brings_everything_back(open_page):
    page = open_page()
    figure = drawn_live(page)
    start = look(page)
    figure.locator("select").select_option(index=3)
    figure.locator("input[type=radio]").nth(1).check()
    assert look(page)["sentence"] != start["sentence"]
    figure.get_by_role("button", name="Reset").click()
    page.wait_for_timeout(100)
    assert {**look(page), "said": ""} == {**start, "said": ""}
    assert figure.locator("select").input_value() == "0"
    assert "?" not in page.url


def test_touch_on_a_phone(open_page):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    figure = drawn_live(page)
    before = look(page)
    figure.locator("input[type=range]").scroll_into_view_if_needed()
    box = figure.locator("input[type=range]").bounding_box()
    assert box["height"] >= 44, "a finger needs 44 pixels"
    page.touchscreen.tap(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    page.wait_for_timeout(100)
    assert look(page)["sentence"] != before["sentence"]
    picture = figure.locator(".explorer-picture").bounding_box()
    svg = figure.locator(".explorer-picture svg").bounding_box()
    assert svg["x"] >= 0 and svg["x"] + svg["width"] <= 390 and svg["width"] <= picture["width"] + 1
    for button in figure.locator("button").all():
        assert button.bounding_box()["height"] >= 44


MANY, PROFILE = "book/auditing-an-agency.html", "#explorer-your-agency"


def test_on_a_phone_many_controls_leave_picture_and_sentence_in_sight(open_page):
    page = open_page(MANY, viewport={"width": 390, "height": 850}, has_touch=True, is_mobile=True)
    figure = drawn_live(page, PROFILE)
    sliders = figure.locator("input[type=range]")
    assert sliders.count() > 4
    page.add_style_tag(content="html { scroll-behavior: auto !important; }")  # no waiting for a glide
    figure.evaluate("figure => figure.scrollIntoView({block: 'start'})")
    top = sliders.first.bounding_box()["y"]
    for part in (".explorer-picture", ".explorer-sentence"):
        box = figure.locator(part).bounding_box()
        assert box["y"] + box["height"] <= top, part
    page.evaluate("slider => slider.scrollIntoView({block: 'end'})", sliders.last.element_handle())
    picture, last = figure.locator(".explorer-picture svg").bounding_box(), sliders.last.bounding_box()
    assert picture["y"] >= 0 and picture["y"] + picture["height"] <= last["y"] and last["y"] + last["height"] <= 850
    sliders.last.focus()
    for _ in range(sliders.count() - 1):
        page.keyboard.press("Shift+Tab")
        focused = page.evaluate("document.activeElement.getBoundingClientRect().top")
        picture = figure.locator(".explorer-picture").bounding_box()
        assert picture["y"] + picture["height"] <= focused, "the picture never lies over the slider in hand"
    assert page.evaluate("document.activeElement.name") == "b1"


def test_sliders_below_one_another_start_at_one_place(open_page):
    page = open_page(MANY)
    for explorer in (PROFILE, "#explorer-weights"):
        lefts = {round(slider.bounding_box()["x"]) for slider in page.locator(f"{explorer} input[type=range]").all()}
        assert len(lefts) == 1, explorer


def test_a_shared_address_opens_the_same_view_and_leaves_other_explorers_alone(open_page, site):
    page = open_page()
    figure = drawn_live(page)
    other = look(page, "#explorer-how-late")
    figure.locator("select").select_option(index=2)
    figure.locator("input[type=range]").press("Home")
    assert "completeness.month=1" in page.url
    seen = look(page)
    again = open_page(page.url.removeprefix(site + "/"))
    assert look(again)["sentence"] == seen["sentence"]
    assert look(again, "#explorer-how-late")["sentence"] == other["sentence"]
    drawn_live(again)
    assert look(again)["table"] == seen["table"]


def test_the_link_button_copies_the_address_of_the_view(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    figure = drawn_live(page)
    figure.locator("input[type=range]").press("End")
    figure.locator(".explorer-share").click()
    page.wait_for_function("document.querySelector('#explorer-completeness .explorer-status').textContent === 'Link copied'")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "completeness.month=18" in link and link.endswith("#explorer-completeness")


def test_an_address_with_nonsense_opens_the_start(open_page):
    page = open_page(f"{PAGE}?completeness.month=99&completeness.agency=<b>&other=1")
    assert look(page)["sentence"] == look(open_page())["sentence"]


def test_without_javascript_the_reader_has_picture_sentence_and_table(open_page):
    page = open_page(java_script_enabled=False)
    figure = page.locator(COMPLETENESS)
    assert figure.locator(".explorer-picture svg").is_visible()
    assert "month 11" in figure.locator(".explorer-sentence").inner_text()
    assert not figure.locator("form").is_visible()
    figure.locator("summary").click()
    assert figure.locator("tbody tr").count() > 1
    assert figure.locator("tbody tr").first.is_visible()


def test_the_drawn_and_the_live_picture_start_alike(open_page):
    """Without JavaScript and with it, a reader sees the same sentence and the same table."""
    still, live = open_page(java_script_enabled=False), open_page()
    for name in live.evaluate("Object.keys(mystique.explorers)"):
        here = f"#explorer-{name}"
        for part in (".explorer-sentence", "tbody"):
            assert still.locator(f"{here} {part}").text_content() == live.locator(f"{here} {part}").text_content()


def test_on_paper_the_tables_are_open_and_the_controls_gone(open_page):
    page = open_page()
    drawn_live(page)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    figure = page.locator(COMPLETENESS)
    assert not figure.locator("form").is_visible()
    assert figure.locator(".explorer-picture svg").is_visible()
    assert figure.locator("tbody tr").last.is_visible()


def test_it_works_from_a_file(browser, built_book):
    page = browser.new_page()
    page.goto((built_book / PAGE).as_uri())
    figure = drawn_live(page)
    before = look(page)
    figure.locator("input[type=range]").press("Home")
    page.wait_for_timeout(100)
    assert look(page)["sentence"] != before["sentence"]
    page.goto((built_book / PAGE).as_uri() + "?completeness.month=1")
    assert "month 1," in look(page)["sentence"]
    page.close()


def test_colours_follow_dark_mode(open_page):
    fill = "getComputedStyle(document.querySelector('#explorer-how-late .explorer-picture svg [aria-roledescription=bar]')).fill"
    found = set()
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        drawn_live(page, "#explorer-how-late")
        found.add(page.evaluate(fill))
    assert len(found) == 2
