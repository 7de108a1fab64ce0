"""What a browser sends is read with care: anything may come."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.pipeline.rate_events import LONGEST_ANSWER_BYTES, Incoming, read_event

GOOD: dict[str, object] = {
    "id": "e-1", "aid": "a-1", "type": "judgement", "rev": 3, "seconds": 4.5, "stage": "judge", "answer": {"n": 1},
}  # fmt: skip


def test_an_event_of_the_right_form_is_read():
    assert read_event(GOOD) == Incoming(
        event_id="e-1", assignment_id="a-1", kind="judgement", revision=3, seconds=4.5, stage="judge", answer={"n": 1}
    )


def test_what_an_open_leaves_out_is_empty():
    read = read_event({"id": "e", "aid": "a", "type": "open"})
    assert isinstance(read, Incoming)
    assert (read.revision, read.seconds, read.answer) == (0, 0.0, {})


@pytest.mark.parametrize(
    "changed",
    [
        {"id": None}, {"id": ""}, {"id": "x" * 201}, {"id": "new\nline"}, {"id": 7}, {"aid": ["a"]}, {"type": "delete"},
        {"type": None}, {"rev": -1}, {"rev": 1.5}, {"rev": True}, {"rev": 2**53}, {"rev": "3"}, {"answer": [1]},
        {"answer": "text"}, {"answer": {"n": math.nan}}, {"answer": {"n": object()}},
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused_in_a_sentence(changed: dict[str, object]):
    said = read_event({**GOOD, **changed})
    assert isinstance(said, str)
    assert said.endswith(".")


def test_an_answer_nested_without_end_is_refused():
    nested: dict[str, object] = {}
    for _ in range(100_000):
        nested = {"a": nested}
    assert isinstance(read_event({**GOOD, "answer": nested}), str)


def test_an_answer_that_is_too_long_is_refused_with_its_size():
    said = read_event({**GOOD, "answer": {"comment": "x" * LONGEST_ANSWER_BYTES}})
    assert isinstance(said, str)
    assert "200,0" in said


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(-5, 0.0), (math.inf, 0.0), (math.nan, 0.0), ("9", 0.0), (None, 0.0), (True, 0.0), (10**9, 86400.0), (7, 7.0)],
)
def test_seconds_are_kept_within_a_day(sent: object, kept: float):
    read = read_event({**GOOD, "seconds": sent})
    assert isinstance(read, Incoming)
    assert read.seconds == kept


def test_text_that_no_database_takes_is_replaced_and_the_rest_is_kept():
    read = read_event({**GOOD, "answer": {"comment": "a\x00b \ud83d c", "levels": {"x\x00": 4}, "l": ["\udc00", None]}})
    assert isinstance(read, Incoming)
    assert read.answer == {"comment": "a\ufffdb ? c", "levels": {"x\ufffd": 4}, "l": ["?", None]}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.dictionaries(st.sampled_from([*GOOD, "other"]), anything))
def test_whatever_comes_is_read_or_refused(sent: dict[str, object]):
    read = read_event({**GOOD, **sent})
    if isinstance(read, Incoming):
        json.dumps(read.answer, allow_nan=False).encode()
        assert 0 <= read.seconds <= 86400
    else:
        assert read.endswith(".")
