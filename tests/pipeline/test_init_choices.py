from collections.abc import Sequence

import pytest

from harness.pipeline.init_choices import (
    can_validate,
    choose_max_new_tokens,
    choose_prompt,
    choose_scorers,
    labels_of,
    power_note,
)
from harness.records.items import Item
from harness.records.messages import Message
from harness.records.training import TrainingRecord

_FORM = "ICD-10 Codes:\n- I10 (Essential (primary) hypertension)"
_SENTENCE = "Water expands as it freezes, so ice floats on it."


def _items(*references: str | tuple[str, ...], demanded: Sequence[str] = ()) -> list[Item]:
    return [
        Item(
            item_id=f"q{number}",
            input=(Message(role="user", content=f"Q{number}?"),),
            references=(reference,) if isinstance(reference, str) else reference,
            must_contain=tuple(demanded[number : number + 1]),
        )
        for number, reference in enumerate(references)
    ]


@pytest.mark.parametrize(
    ("items", "names", "why"),
    [
        (
            _items("Paris", "the Nile", "William Shakespeare"),
            ("contains_reference", "exact_match", "token_f1"),
            "short",
        ),
        (_items(_SENTENCE, "Paris"), ("token_f1",), "up to 10 words"),
        (_items("spam", "ham", "spam", "ham"), ("label",), "2 short labels"),
        (_items("Yes", "no", "yes", "no", "no", "yes"), ("exact_match",), "3 short labels"),
        (_items("?", "!", "Paris"), ("exact_match",), "no words"),
        (_items("Working: 3 + 4 = 7\nAnswer: 7 days", "Working: 2 * 4 = 8\nAnswer: 8 days"), ("numeric",), "figures"),
        (_items(_FORM, _FORM), ("icd10_codes", "exact_match"), "form of the shipped example"),
        (
            _items("I10", "E11.9"),
            ("codes_exact_match", "codes_precision", "codes_recall", "codes_f1", "invented_codes"),
            "ICD-10-CM codes",
        ),
        (_items("none", "none", "I10", "some"), ("contains_reference", "exact_match", "token_f1"), "short"),
        (
            _items("Paris", "Rome", demanded=["Par", "Ro"])[:2],
            ("must_contain", "contains_reference"),
            "must_contain comes",
        ),
        (_items("Paris", "Rome", demanded=["Par"]), ("contains_reference", "exact_match"), "1 of 2 items demand no"),
    ],
)
def test_scorers_suit_the_references_and_the_reason_is_said(
    items: list[Item], names: tuple[str, ...], why: str
) -> None:
    choice = choose_scorers(items)
    assert choice.names[: len(names)] == names
    assert why in choice.reason
    assert choice.code_list == any("codes" in name for name in choice.names)


@pytest.mark.parametrize(
    ("items", "labels"),
    [
        (_items("b", "a", "a", "b"), ("a", "b")),
        (_items("a", "a"), ()),  # one label is none
        (_items("a", "b", "c"), ()),  # every answer another one
        (_items("a", ("a", "b"), "b", "a"), ()),
        (_items("x" * 41, "x" * 41, "y", "y"), ()),
        (_items("a\nb", "a\nb", "y", "y"), ()),
    ],
)
def test_labels_are_few_short_and_shared(items: list[Item], labels: tuple[str, ...]) -> None:
    assert labels_of(items) == labels


@pytest.mark.parametrize(
    ("longest", "tokens"), [(1, 16), (48, 16), (49, 24), (72, 24), (3072, 1024), (3073, 1024), (90_000, 1024)]
)
def test_an_answer_has_room_for_the_longest_reference(longest: int, tokens: int) -> None:
    chosen, reason = choose_max_new_tokens(_items(("x", "x" * longest)))
    assert chosen == tokens
    assert f"{longest} characters" in reason
    assert ("more than 1024" in reason) == (longest > 3072)


def test_the_prompted_system_asks_for_what_the_references_are() -> None:
    def prompt(*references: str) -> tuple[str, str]:
        items = _items(*references)
        return choose_prompt(items, choose_scorers(items))

    assert prompt("spam", "ham", "spam", "ham") == (
        "with_labels",
        "Answer with exactly one of these labels, and nothing else: ham, spam.",
    )
    assert "shortest phrase" in prompt("Paris", "Rome")[1]
    assert "at most 10 words" in prompt(_SENTENCE)[1]
    assert "codes alone" in prompt("I10", "E11.9")[1]
    assert 'the line "ICD-10 Codes:"' in prompt(_FORM)[1]


def test_records_that_all_belong_together_cannot_be_validated_on() -> None:
    def record(asked: str) -> TrainingRecord:
        return TrainingRecord(prompt=(Message(role="user", content=asked),), completion="A", line=1)

    assert not can_validate([record("Q"), record("Q")])
    assert can_validate([record("Q"), record("R")])


def test_what_so_many_items_cannot_show_is_said() -> None:
    assert "too few" in (power_note(5) or "")
    assert "under about 28 points" in (power_note(20) or "")  # 0.285 by enumeration, at a discordance of 0.3
    assert power_note(5000) is None
