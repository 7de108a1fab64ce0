from pathlib import Path

import pytest

from harness.data.corpus import load_corpus
from harness.data.golden import load_golden_set
from harness.data.overlap import find_overlaps
from harness.data.training import load_training_set
from harness.evaluation.scorers.icd10_answer import is_format_valid, parse_codes
from harness.evaluation.scorers.registry import scorers_for
from harness.evaluation.scorers.score import score_generation
from harness.records.generations import Generation
from harness.records.items import GoldenSet

_ROOT = Path(__file__).parents[3]
_EXPERIMENT = _ROOT / "suites" / "experiments" / "icd10_coding"


@pytest.fixture(scope="module")
def golden_set() -> GoldenSet:
    return load_golden_set(_ROOT / "golden_sets" / "icd10_coding")


def test_every_reference_is_right_by_every_metric(golden_set: GoldenSet) -> None:
    scorers = scorers_for(golden_set)
    for item in golden_set.items:
        for reference in item.references:
            answer = Generation(item_id=item.item_id, item_hash=item.item_hash, text=reference)
            values = {score.scorer: score.value for score in score_generation(scorers, item, answer)}
            assert values.pop("invented_codes") == 0.0, item.item_id
            assert set(values.values()) == {1.0}, (item.item_id, values)


def test_every_training_answer_is_in_the_format_with_codes_that_exist(golden_set: GoldenSet) -> None:
    assert golden_set.known_codes is not None
    for record in load_training_set(_EXPERIMENT / "train.jsonl").records:
        assert is_format_valid(record.completion), record.line
        codes = parse_codes(record.completion, golden_set.known_codes)
        assert codes is not None, record.line
        assert codes <= golden_set.known_codes, record.line


def test_nothing_trained_on_stands_in_the_golden_set(golden_set: GoldenSet) -> None:
    training_set = load_training_set(_EXPERIMENT / "train.jsonl")
    assert find_overlaps(training_set.records, golden_set.items) == []


def test_the_corpus_loads_and_knows_every_code_of_the_references(golden_set: GoldenSet) -> None:
    assert golden_set.known_codes is not None
    passages = {passage.passage_id for passage in load_corpus(_EXPERIMENT / "corpus.jsonl")}
    for item in golden_set.items:
        for reference in item.references:
            assert (parse_codes(reference, golden_set.known_codes) or frozenset()) <= passages, item.item_id
