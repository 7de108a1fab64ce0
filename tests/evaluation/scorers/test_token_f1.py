import pytest

from harness.evaluation.scorers.token_f1 import token_f1
from harness.records.items import Item
from harness.records.messages import Message

_ITEM = Item(
    item_id="a",
    input=(Message(role="user", content="Q"),),
    references=("the red house on the hill", "a cottage"),
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The red house on the hill.", 1.0),
        ("hill the on house red", 1.0),
        ("red red house", 2 * 2 / (3 + 4)),  # a word counts as often as it stands in both
        ("a small cottage", 2 * 1 / (2 + 1)),  # the nearer reference decides
        ("blue boat", 0.0),
        ("!", None),
        ("", None),
    ],
)
def test_shared_words_over_all_words_as_in_squad(text: str, value: float | None) -> None:
    assert token_f1().mark(_ITEM, text).value == (value if value is None else pytest.approx(value))


def test_it_is_graded_and_an_answer_without_words_is_worth_nothing() -> None:
    scorer = token_f1()
    assert (scorer.metric.kind, scorer.metric.name, scorer.unparsed_value) == ("graded", "golden/token_f1", 0.0)
