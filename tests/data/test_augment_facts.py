import pytest

from harness.config.augment_steps import Kept
from harness.data.augment_facts import content_words, lost_and_added, lost_terms, numbers, stands_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A 43-year-old with 7.1 and 1,234.50 at 132/80.", {"43", "7.1", "1234.50", "132", "80"}),
        ("12,4 % of 5mg", {"12,4", "5"}),
        ("B02.9, A1c and vitamin B12 are codes", set()),
        ("forty-three", set()),
    ],
)
def test_numbers_are_those_outside_of_codes(text: str, found: set[str]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("kind", "parent", "text", "lost", "added"),
    [
        ("numbers", "3 days at 40 degrees", "40 degrees for 4 days", ("3",), ("4",)),
        ("numbers", "1,000 euros", "1000 euros", (), ()),
        ("codes", "Code B02.9 and e78.00", "E78.00, then I10", ("B02.9",), ("I10",)),
        ("names", "She saw Dr Meyer in Leeds.", "In Leeds, a doctor.", ("dr", "meyer"), ()),
        ("names", "Her LDL is high.", "The ldl is high, says Smith.", (), ("smith",)),
        ("names", "Monday is fine. Tuesday is not.", "I am free then.", (), ()),
        ("answer_words", "Asthma, since May", "A wheeze since May", ("asthma",), ()),
        ("answer_words", "A wheeze", "A whistle", (), ()),
        ("negations", "No fever.", "Fever.", ("negation",), ()),
        ("negations", "Fever.", "She didn’t have fever.", (), ("negation",)),
        ("negations", "Never any fever.", "Without fever.", (), ()),
    ],
)
def test_what_is_lost_and_what_is_added(
    kind: Kept, parent: str, text: str, lost: tuple[str, ...], added: tuple[str, ...]
) -> None:
    assert lost_and_added(kind, parent, text, answer="J45 (Asthma, unspecified)") == (lost, added)


def test_words_stand_in_a_text_as_a_run_of_whole_words() -> None:
    assert stands_in("low back pain", "Low back-pain, again")
    assert not stands_in("back", "backs")
    assert not stands_in("...", "...")
    assert lost_terms(["blue inhaler", "spacer"], "The blue inhaler", "An inhaler, blue") == ("blue inhaler",)


def test_content_words_have_four_letters_or_more() -> None:
    assert content_words("The cook's 4 Eggs, overdone") == {"cook", "eggs", "overdone"}
