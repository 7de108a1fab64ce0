import pytest

from harness.evaluation.scorers.contains_reference import contains_reference
from harness.records.items import Item
from harness.records.messages import Message


def _item(*references: str) -> Item:
    return Item(item_id="a", input=(Message(role="user", content="Q"),), references=references)


@pytest.mark.parametrize(
    ("references", "text", "value"),
    [
        (("Paris",), "The capital of France is Paris.", 1.0),
        (("the Amazon River",), "It is the AMAZON\nriver, I think.", 1.0),
        (("Amazon River",), "The river Amazon", 0.0),
        (("4",), "42", 0.0),
        (("4",), "4.5", 0.0),
        (("4",), "The answer is 4.", 1.0),
        (("1000",), "about 1,000 km", 1.0),
        (("Ann", "Bo"), "Bo did", 1.0),
        (("Paris",), "Not Paris", 1.0),  # known to be lenient
        (("Paris",), "Parisian", 0.0),
        (("Paris",), " ", None),
    ],
)
def test_a_reference_counts_where_its_words_stand_together(
    references: tuple[str, ...], text: str, value: float | None
) -> None:
    assert contains_reference().mark(_item(*references), text).value == value


def test_it_is_pass_or_fail_and_an_answer_without_words_is_worth_nothing() -> None:
    scorer = contains_reference()
    assert (scorer.metric.kind, scorer.unparsed_value) == ("binary", 0.0)
