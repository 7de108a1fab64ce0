import pytest

from harness.config.augment_steps import Cut
from harness.data.augment_cuts import cut_input
from harness.data.augment_source import Original
from harness.records.messages import Message
from harness.records.training import TrainingRecord

STATEMENT = "Revenue: 1,000; 900\nCosts: (700); (650)\n\nWhat is the margin?"
NOTE = "Seen by Dr A. Meyer at 7.30 today. He has asthma!\nHis inhaler is empty. Wait: is it?"


def original(text: str, answer: str) -> Original:
    record = TrainingRecord(prompt=(Message(role="user", content=text),), completion=answer, line=1)
    return Original(number=0, value={"prompt": text, "completion": answer}, record=record, format="prompt_completion")


@pytest.mark.parametrize(
    ("cut", "left"),
    [
        ({"where": "first"}, "He has asthma!\nHis inhaler is empty. Wait: is it?"),
        ({"where": "last"}, "Seen by Dr A. Meyer at 7.30 today. He has asthma!\nHis inhaler is empty."),
        ({"where": "answer"}, "Seen by Dr A. Meyer at 7.30 today. His inhaler is empty. Wait: is it?"),
        ({"where": "answer", "unit": "line"}, "His inhaler is empty. Wait: is it?"),
        ({"where": "terms", "terms": ["inhaler", "7.30"]}, "He has asthma!\nWait: is it?"),
        ({"where": "pattern", "pattern": "is .*[?.]"}, "Seen by Dr A. Meyer at 7.30 today. He has asthma!"),
    ],
)
def test_parts_are_taken_out_whole(cut: dict[str, object], left: str) -> None:
    assert cut_input(Cut.model_validate(cut), original(NOTE, "J45 (Asthma)")) == left


def test_lines_that_share_a_number_with_the_answer_go() -> None:
    cut = Cut.model_validate({"where": "answer", "unit": "line"})
    left = cut_input(cut, original(STATEMENT, "(1,000 - 700) / 1,000 = 30 %"))
    assert left == "What is the margin?"
    assert cut_input(cut, original(STATEMENT, "650")) == "Revenue: 1,000; 900\n\nWhat is the margin?"


def test_nothing_goes_where_nothing_is_chosen() -> None:
    assert cut_input(Cut.model_validate({"where": "answer"}), original(NOTE, "gout")) == NOTE
