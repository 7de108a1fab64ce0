import pytest

from harness.errors import ConfigError
from harness.evaluation.scorers.label import format_valid, label_correct, label_problems, labels_of
from harness.evaluation.scorers.registry import scorers_for
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message

_LABELS = frozenset({"medical", "finance", "legal"})


def _item(*references: str) -> Item:
    return Item(item_id="a", input=(Message(role="user", content="Q"),), references=references)


def _set(*references: str, scorers: tuple[str, ...] = ("label",)) -> GoldenSet:
    items = tuple(_item(reference) for reference in references)
    return GoldenSet(name="small", version="1.0.0", sha256="0", licence="CC0", items=items, scorers=scorers)


@pytest.mark.parametrize(
    "text",
    [
        "legal",
        " LEGAL.\n",
        "**Legal**",
        "_legal_",
        "ｌｅｇａｌ",
        "Label: legal",
        '{"label": "legal"}',
        "label=legal",
        "This goes to the legal desk.",
        "Legal, I think: legal.",
        "It is not a paralegal's task; legal",
        "legal\n\nThe writer asks about a lease.",
    ],
)
def test_a_label_is_read_wherever_it_stands_as_a_word(text: str) -> None:
    mark = label_correct(_LABELS).mark(_item("legal"), text)
    assert (mark.value, mark.detail) == (1.0, "given legal; due legal")


def test_a_wrong_label_is_worth_0_and_both_are_told() -> None:
    mark = label_correct(_LABELS).mark(_item("legal"), "Label: Finance")
    assert (mark.value, mark.detail) == (0.0, "given finance; due legal")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", "no label"),
        ("?", "no label"),
        ("financial", "no label"),
        ("illegal", "no label"),
        ("legally", "no label"),
        ("non-legal", "no label"),
        ("medical-legal", "no label"),
        ("legal or finance", "several labels: finance, legal"),
        ("medical, finance, legal", "several labels: finance, legal, medical"),
    ],
)
def test_no_label_or_several_is_unparsed_and_worth_0(text: str, seen: str) -> None:
    scorer = label_correct(_LABELS)
    mark = scorer.mark(_item("legal"), text)
    assert (mark.value, mark.detail) == (None, f"the answer gives {seen}; due legal")
    assert scorer.unparsed_value == 0.0


def test_guessing_is_right_once_in_as_many_times_as_there_are_labels() -> None:
    assert label_correct(_LABELS).metric.chance == pytest.approx(1 / 3)
    assert label_correct(frozenset({"yes", "no"})).metric.chance == 0.5


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("Not spam.", "not spam"),
        ("spam", "spam"),
        ("out of scope", "out_of_scope"),
        ("Out-of-Scope", "out_of_scope"),
        ("OUT_OF_SCOPE", "out_of_scope"),
    ],
)
def test_of_labels_in_each_other_the_longer_wins_and_what_joins_their_words_does_not_matter(
    text: str, given: str
) -> None:
    scorer = label_correct(frozenset({"spam", "not spam", "out_of_scope"}))
    assert scorer.mark(_item(given), text).value == 1.0


def test_a_label_with_signs_of_a_pattern_is_taken_literally() -> None:
    scorer = label_correct(frozenset({"c++", "c"}))
    assert scorer.mark(_item("c++"), "C++").value == 1.0
    assert scorer.mark(_item("c"), "It is C.").value == 1.0


def test_any_of_several_references_will_do() -> None:
    mark = label_correct(_LABELS).mark(_item("legal", "finance"), "finance")
    assert (mark.value, mark.detail) == (1.0, "given finance; due legal or finance")


@pytest.mark.parametrize(
    ("text", "value"),
    [("legal", 1.0), ("\n finance \n", 1.0), ("Legal", 0.0), ("legal.", 0.0), ("legal legal", 0.0), ("", 0.0)],
)
def test_the_format_is_the_label_alone_as_written_right_or_wrong(text: str, value: float) -> None:
    assert format_valid(_LABELS).mark(_item("legal"), text).value == value


def test_the_labels_of_a_set_are_its_references() -> None:
    golden_set = _set("legal", "medical ", "legal")
    assert labels_of(golden_set) == {"legal", "medical"}
    assert label_problems(golden_set) == []


def test_the_registry_gives_a_set_of_labels_its_own_format() -> None:
    correct, valid = scorers_for(_set("legal", "finance"))
    assert (correct.metric.name, correct.metric.chance) == ("golden/label_correct", 0.5)
    assert valid.metric.name == "golden/format_valid"
    assert [valid.mark(_item("legal"), text).value for text in ("finance", "medical")] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        (("legal", "legal"), "every reference is 'legal'; a label is one of at least two"),
        (("legal", "Legal", "other"), "one label is written in several ways: 'Legal', 'legal'"),
        (("out-of-scope", "out of scope", "in"), "one label is written in several ways: 'out of scope', 'out-of"),
        (("legal", "?"), "the label '?' has no letter or digit"),
        (("legal", "-"), "the label '-' has no letter or digit"),
    ],
)
def test_references_that_are_no_labels_are_refused(references: tuple[str, ...], expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        scorers_for(_set(*references))
    assert expected in str(caught.value)
