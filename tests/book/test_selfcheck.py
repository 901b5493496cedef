"""Self-checks: the bank's form, and how a question behaves in the built page."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mystique.book.selfcheck import BankError, fault_of, read_bank

BANKS = sorted((Path(__file__).parents[2] / "book" / "checks").glob("*.yml"))
RIGHT = {"answer": "yes", "correct": True, "feedback": "Because."}
WRONG = {"answer": "no", "correct": False, "feedback": "Because not."}
GOOD = {"id": "one", "question": "Is it?", "type": "multiple_choice", "answers": [RIGHT, WRONG]}


@pytest.mark.parametrize(
    "change, said",
    [
        ({"type": "essay"}, "essay"),
        ({"question": " "}, "question"),
        ({"answers": [RIGHT]}, "two answers"),
        ({"answers": [WRONG, WRONG]}, "0 of its answers"),
        ({"answers": [RIGHT, RIGHT]}, "2 of its answers"),
        ({"answers": [RIGHT, {"answer": "no", "correct": False}]}, "answer 2 has no feedback"),
        ({"type": "numeric"}, "type default"),
        ({"answers": [{**RIGHT, "feedback": "Yes. It counts."}, WRONG]}, "begins with 'Yes.'"),
        ({"answers": [RIGHT, {**WRONG, "feedback": "Not that. It counts."}]}, "the page says 'Not quite.' before it"),
    ],
)
def test_a_faulty_question_is_refused_with_the_reason(change, said):
    assert fault_of(GOOD) == ""
    assert said in fault_of({**GOOD, **change})


def test_a_bank_names_its_file_and_question(tmp_path):
    file = tmp_path / "chapter.yml"
    with pytest.raises(BankError, match="chapter.yml"):
        read_bank(file)
    file.write_text("a: [", encoding="utf-8")
    with pytest.raises(BankError, match="not readable"):
        read_bank(file)
    file.write_text(yaml.safe_dump([GOOD, GOOD]), encoding="utf-8")
    with pytest.raises(BankError, match="question 2"):
        read_bank(file)
    file.write_text(yaml.safe_dump([{**GOOD, "answers": [RIGHT, RIGHT]}]), encoding="utf-8")
    with pytest.raises(BankError, match="'one'"):
        read_bank(file)
    file.write_text(yaml.safe_dump([GOOD]), encoding="utf-8")
    assert read_bank(file) == {"one": GOOD}


@pytest.mark.parametrize("file", BANKS, ids=lambda file: file.stem)
def test_every_bank_of_the_book_is_sound(file):
    assert read_bank(file)


@pytest.fixture
def page(browser, site):
    opened = browser.new_page()
    opened.goto(f"{site}/book/the-database-nobody-wanted.html")
    yield opened
    opened.close()


def test_every_option_of_every_question_gives_its_feedback_by_keyboard(page):
    for check in page.locator(".selfcheck:not([data-type=numeric])").all():
        options = check.locator(".option")
        assert options.count() >= 2
        for option in options.all():
            option.locator("input").focus()
            page.keyboard.press("Space")
            assert option.locator(".feedback").is_visible()
            said = check.locator("[role=status] .visually-hidden").text_content().strip()
            assert said and said == option.locator(".feedback").text_content().strip()
        if check.get_attribute("data-type") == "multiple_choice":
            assert check.locator(".feedback:visible").count() == 1


def test_several_right_options_are_counted_and_said_once(page):
    """A reader who has found one of two must learn that another one is missing; a screen reader says it in one go."""
    check = page.locator(".selfcheck[data-type=many_choice]").first
    right = check.locator(".option:has(.feedback.right) input").all()
    wrong = check.locator(".option:not(:has(.feedback.right)) input").all()
    assert len(right) > 1 and wrong
    heard = check.locator("[role=status]").evaluate_handle("""status => {
        const heard = [];
        new MutationObserver(changes => heard.push(...changes.map(() => status.textContent))).observe(status, {childList: true, subtree: true, characterData: true});
        return heard;
    }""")

    def tick(option, tally):
        option.focus()
        page.keyboard.press("Space")
        assert check.locator(".tally").text_content() == tally
        assert not tally or check.locator(".tally").is_visible()

    tick(right[0], f"1 of {len(right)} found.")
    tick(right[0], "")
    tick(wrong[0], f"0 of {len(right)} found; one tick too many.")
    for found, option in enumerate(right[:-1], 1):
        tick(option, f"{found} of {len(right)} found; one tick too many.")
    tick(right[-1], "All found; one tick too many.")
    tick(wrong[0], "All found.")
    said = heard.json_value()
    assert len(said) == len(right) + 4, "one change for each tick"
    assert said[0].startswith("Right.") and said[0].endswith(f" 1 of {len(right)} found.") and said[-1] == "All found."


def test_numbers_are_judged(page):
    check = page.locator(".selfcheck[data-type=numeric]").first
    feedback = check.locator(".feedback")
    right = check.locator(".feedback.right")
    check.locator("input").fill(right.get_attribute("data-low"))
    check.get_by_role("button", name="Check").click()
    assert right.is_visible() and check.locator(".feedback:visible").count() == 1
    check.locator("input").fill("-12345")
    page.keyboard.press("Enter")
    assert feedback.last.is_visible() and check.locator(".feedback:visible").count() == 1
    check.locator("input").fill("")
    check.get_by_role("button", name="Check").click()
    assert check.locator(".feedback:visible").count() == 0


def test_feedback_shows_without_javascript(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/book/the-database-nobody-wanted.html")
    option = page.locator(".selfcheck:not([data-type=numeric]) .option").first
    assert not option.locator(".feedback").is_visible()
    option.locator("input").check()
    assert option.locator(".feedback").is_visible()
    context.close()
