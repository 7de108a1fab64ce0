from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.folds import Fold, deal
from harness.errors import DataError
from harness.records.messages import Message
from harness.records.training import TrainingRecord

_SHARES: dict[Fold, Fraction] = {"train": Fraction(7, 10), "validation": Fraction(1, 10), "test": Fraction(1, 5)}


def _record(question: str, group: str | None = None, line: int = 1) -> TrainingRecord:
    return TrainingRecord(prompt=(Message(role="user", content=question),), completion="A", line=line, group=group)


def _records(count: int) -> list[TrainingRecord]:
    return [_record(f"question {number}", line=number) for number in range(1, count + 1)]


def test_every_record_lands_in_one_fold_of_the_size_asked_for() -> None:
    folds = deal(_records(40), shares=_SHARES, seed=17)
    assert {fold: len(indices) for fold, indices in folds.items()} == {"train": 28, "validation": 4, "test": 8}
    assert sorted(index for indices in folds.values() for index in indices) == list(range(40))


def test_the_folds_hang_on_seed_and_content_and_not_on_the_order() -> None:
    records = _records(40)
    test = {records[index].line for index in deal(records, shares=_SHARES, seed=17)["test"]}
    turned = records[::-1]
    assert test == {turned[index].line for index in deal(turned, shares=_SHARES, seed=17)["test"]}
    assert test != {records[index].line for index in deal(records, shares=_SHARES, seed=18)["test"]}


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(2, 40), min_size=1, max_size=6), seed=st.integers(0, 1000))
def test_each_fold_holds_of_each_stratum_its_share_to_within_one_record(sizes: list[int], seed: int) -> None:
    strata = [f"label {number}" for number, size in enumerate(sizes) for _ in range(size)]
    if len(strata) < 10:
        return
    folds = deal(_records(len(strata)), shares=_SHARES, seed=seed, strata=strata)
    for fold, indices in folds.items():
        counts = Counter(strata[index] for index in indices)
        for stratum, size in Counter(strata).items():
            assert abs(counts[stratum] - _SHARES[fold] * size) < 1


_DRAWN = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from([None, *"ghijkl"]), st.sampled_from([None, *"xyz", *"uvw"])),
    min_size=10,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(drawn=_DRAWN, seed=st.integers(0, 1000))
def test_neither_group_nor_question_nor_mark_straddles(
    drawn: list[tuple[int, str | None, str | None]], seed: int
) -> None:
    records = [_record(f"Is it {q}?" if i % 2 else f"is it  {q}", group, i) for i, (q, group, _) in enumerate(drawn)]
    marks = [mark for _, _, mark in drawn]
    try:
        folds = deal(records, shares=_SHARES, seed=seed, together=marks)
    except DataError:
        return
    for kind in (
        lambda index: records[index].group,
        lambda index: drawn[index][0],
        lambda index: marks[index],
    ):
        seen = [{kind(index) for index in indices} - {None} for indices in folds.values()]
        assert sum(map(len, seen)) == len(set().union(*seen))


def test_groups_of_uneven_sizes_still_give_folds_of_about_the_size_asked_for() -> None:
    sizes = [9, 9, 8, 7, 7, 6, 6, 5, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1]
    records = [_record(f"{group} {n}", str(group), n) for group, size in enumerate(sizes) for n in range(size)]
    folds = deal(records, shares=_SHARES, seed=17)
    assert all(abs(len(indices) - _SHARES[fold] * len(records)) <= 1 for fold, indices in folds.items())


@pytest.mark.parametrize(
    ("records", "strata", "expected"),
    [
        (_records(5), [], "validation: a share of 0.1 of 5 records is less than one record. Ask for 0.2 or more"),
        (_records(20), [str(n) for n in range(20)], "20 values in 20 records: too many to stratify by"),
        (
            [_record(str(n), "one") for n in range(20)],
            [],
            r"the records make 1 bundle\(s\) that stay whole .* the largest of 20",
        ),
    ],
)
def test_what_cannot_be_dealt_is_refused_with_the_numbers(
    records: list[TrainingRecord], strata: list[str], expected: str
) -> None:
    with pytest.raises(DataError, match=expected):
        deal(records, shares=_SHARES, seed=17, strata=strata)
