from dataclasses import replace

import pytest

from harness.decision.versions import shared_items, version_sentence, without_items, without_retired
from harness.records.evidence import Evidence, SeenItems
from harness.records.scores import Score
from tests.decision.conftest import EvidenceOf

EXACT = "golden/exact_match"
ACC = "regression/mmlu/acc"

OLDER = SeenItems(hashes={"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}, retired={"z": "wrong"})
NEWER = SeenItems(hashes={"a": "1", "b": "2 other", "f": "6"}, sealed=frozenset({"e"}), retired={"c": "unclear"})


def _seen(evidence: Evidence, seen: SeenItems | None, version: str) -> Evidence:
    run = replace(evidence.state.run, golden_version=version, golden_sha256=version * 10)
    return replace(evidence, seen=seen, state=replace(evidence.state, run=run))


@pytest.fixture
def sides(evidence_of: EvidenceOf) -> tuple[Evidence, Evidence]:
    ours = _seen(evidence_of("lora", {EXACT: [1.0], ACC: [1.0]}), NEWER, "1.1.0")
    return ours, _seen(evidence_of("rag", {EXACT: [1.0], ACC: [1.0]}), OLDER, "1.0.0")


def test_items_of_two_versions_are_shared_where_id_and_hash_are_the_same(sides: tuple[Evidence, Evidence]) -> None:
    ours, theirs = sides
    assert shared_items(EXACT, ours, theirs) == {"a"}
    assert shared_items("rating/accuracy", theirs, ours) == {"a"}


def test_nothing_is_set_apart_in_one_version_or_outside_of_golden_items(sides: tuple[Evidence, Evidence]) -> None:
    ours, theirs = sides
    assert shared_items(ACC, ours, theirs) is None
    assert shared_items(EXACT, ours, ours) is None
    assert shared_items(EXACT, ours, replace(theirs, seen=None)) is None
    assert shared_items(EXACT, ours, replace(theirs, seen=SeenItems(hashes={"x": "9"}))) is None


def test_the_sentence_counts_what_is_left_out_once_each_and_says_why(sides: tuple[Evidence, Evidence]) -> None:
    ours, theirs = sides
    assert version_sentence(ours, theirs) == (
        "rag answered icd10_coding 1.0.0 and lora 1.1.0: the 1 item that is the same in both is compared. Left out: "
        "1 changed (b), 1 retired (c: unclear), 1 sealed in one of them (e), 1 only in 1.1.0 (f), 1 only in 1.0.0 (d)."
    )


def test_the_sentence_names_five_items_and_counts_the_others(evidence_of: EvidenceOf) -> None:
    many = SeenItems(hashes={"same": "0"} | {f"i{n}": "1" for n in range(7)})
    ours = _seen(evidence_of("lora", {EXACT: [1.0]}), many, "1.1.0")
    theirs = _seen(evidence_of("rag", {EXACT: [1.0]}), SeenItems(hashes={"same": "0"}), "1.0.0")
    assert "7 only in 1.1.0 (i0, i1, i2, i3, i4 and 2 more)." in version_sentence(ours, theirs)


def test_two_contents_under_one_version_are_told_by_their_hash(sides: tuple[Evidence, Evidence]) -> None:
    ours, theirs = sides
    run = replace(theirs.state.run, golden_version="1.1.0")
    said = version_sentence(ours, replace(theirs, state=replace(theirs.state, run=run), seen=None))
    assert said == (
        "rag answered icd10_coding 1.1.0 and lora 1.1.0 with other items (1.1.01.1.01.): only items that are the same "
        "in both are compared."
    )


def test_scores_of_retired_items_are_left_out_and_noted(evidence_of: EvidenceOf) -> None:
    evidence = evidence_of("rag", {EXACT: [1.0, 0.0, 1.0], ACC: [1.0, 0.0]})
    evidence = replace(evidence, asked={EXACT: 3}, replicates=(evidence,))
    left = without_items(evidence, {"i0001": "unclear", "i99": "never asked"}, where="icd10_coding 1.1.0")
    assert [score.item_id for score in left.scores[EXACT]] == ["i0000", "i0002"]
    assert [score.item_id for score in left.replicates[0].scores[EXACT]] == ["i0000", "i0002"]
    assert len(left.scores[ACC]) == 2
    assert left.asked == {EXACT: 2}
    assert left.notes[EXACT] == ("1 item is retired in icd10_coding 1.1.0 and left out of rag (i0001: unclear).",)
    assert ACC not in left.notes


def test_a_metric_of_nothing_but_retired_items_is_gone(evidence_of: EvidenceOf) -> None:
    left = without_items(evidence_of("rag", {EXACT: [1.0]}), {"i0000": "wrong"}, where="x 2")
    assert EXACT not in left.scores
    assert EXACT not in left.metrics


def test_what_one_version_retired_is_judged_in_no_run(evidence_of: EvidenceOf) -> None:
    older = _seen(evidence_of("rag", {EXACT: [1.0, 0.0]}), SeenItems(hashes={"i0000": "h0", "i0001": "h1"}), "1.0.0")
    seen = SeenItems(hashes={"i0000": "h0"}, retired={"i0001": "unclear"})
    newer = _seen(evidence_of("lora", {EXACT: [1.0]}), seen, "1.1.0")
    found = without_retired([newer, older])
    read: list[list[Score]] = [list(one.scores[EXACT]) for one in found]
    assert [[score.item_id for score in scores] for scores in read] == [["i0000"], ["i0000"]]
    assert "retired in icd10_coding 1.1.0" in found[1].notes[EXACT][0]
