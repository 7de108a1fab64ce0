from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.errors import StoreError
from harness.records.regression import Engine, EvaluationInputs, ItemResult
from harness.records.scores import Score
from harness.store.evaluations import evaluations, open_evaluation, record_results
from harness.store.ledger import Ledger
from harness.store.scores import scores
from harness.store.user_sql import query

INPUTS = EvaluationInputs(
    weights="w" * 64,
    adapter_sha256=None,
    task="mmlu",
    shots=0,
    template_sha256="t" * 64,
    items_sha256="i" * 64,
    dtype="float32",
    engine=Engine(name="lm-eval-hf", version="0.4.13"),
)


def _result(number: int, **changes: object) -> ItemResult:
    result = ItemResult(
        item_id=f"mmlu/anatomy/{number}",
        item_hash=f"h{number}",
        stratum="anatomy",
        group=None,
        gold=2,
        loglikelihoods=(-1.5, -2.25, -0.125, -9.0),
        greedy=(False, False, True, False),
        option_chars=(1, 1, 1, 1),
        option_bytes=(2, 2, 2, 2),
        values={"acc": 1.0},
        doc_hash="d",
        prompt_hash="p",
        target_hash="g",
    )
    return replace(result, **changes)


def _score(result: ItemResult) -> Score:
    return Score(
        task="regression/mmlu",
        item_id=result.item_id,
        item_hash=result.item_hash,
        scorer="acc",
        value=result.values.get("acc"),
        status="scored" if result.values else "failed",
        stratum=result.stratum,
    )


def _open(ledger: Ledger, run_id: str, inputs: EvaluationInputs = INPUTS) -> set[str]:
    return open_evaluation(ledger, run_id, inputs, asked="{}", n_items=3, whole_items=14042)


def _record(ledger: Ledger, *numbers: int) -> int:
    results = [_result(number) for number in numbers]
    return record_results(ledger, INPUTS.key, results, [_score(result) for result in results])


def test_an_evaluation_of_the_same_inputs_is_shared_by_runs(ledger: Ledger, fresh_run: Callable[[], str]):
    first, second = fresh_run(), fresh_run()
    assert _open(ledger, first) == set()
    _record(ledger, 1, 2)
    assert _open(ledger, second) == {"mmlu/anatomy/1", "mmlu/anatomy/2"}
    assert scores(ledger, first) == scores(ledger, second) == [_score(_result(1)), _score(_result(2))]


def test_an_interrupted_evaluation_says_how_far_it_came(ledger: Ledger, fresh_run: Callable[[], str]):
    run_id = fresh_run()
    _open(ledger, run_id)
    _record(ledger, 1, 2)
    (stored,) = evaluations(ledger, run_id)
    assert (stored.n_done, stored.n_items, stored.whole_items, stored.is_complete) == (2, 3, 14042, False)
    assert _record(ledger, 2, 3) == 1  # the batch in flight comes again: nothing doubles
    (stored,) = evaluations(ledger, run_id)
    assert stored.is_complete


def test_other_weights_dtype_or_engine_are_another_evaluation(ledger: Ledger, fresh_run: Callable[[], str]):
    _open(ledger, run_id := fresh_run())
    _record(ledger, 1)
    for changes in (
        {"weights": "x"},
        {"adapter_sha256": "a"},
        {"dtype": "bfloat16"},
        {"shots": 5},
        {"engine": Engine(name="lm-eval-hf", version="0.5")},
    ):
        assert _open(ledger, run_id, replace(INPUTS, **changes)) == set()


def test_what_a_model_said_of_each_option_can_be_queried(ledger: Ledger, fresh_run: Callable[[], str]):
    _open(ledger, fresh_run())
    failed = _result(4, loglikelihoods=(None, -1.0, -2.0, -3.0), values={}, error="log-likelihood is nan")
    record_results(ledger, INPUTS.key, [_result(1), failed], [_score(_result(1)), _score(failed)])
    _, rows = query(ledger, "SELECT item_id, gold, loglikelihoods, error FROM v_evaluations ORDER BY item_id")
    assert rows == [
        ["mmlu/anatomy/1", 2, [-1.5, -2.25, -0.125, -9.0], None],
        ["mmlu/anatomy/4", 2, [None, -1.0, -2.0, -3.0], "log-likelihood is nan"],
    ]
    _, rows = query(ledger, "SELECT metric, value, status FROM v_scores ORDER BY item_id")
    assert rows == [["regression/mmlu/acc", 1.0, "scored"], ["regression/mmlu/acc", None, "failed"]]


def test_an_evaluation_needs_a_run_and_results_need_an_evaluation(ledger: Ledger):
    with pytest.raises(StoreError, match="nobody"):
        _open(ledger, "nobody")
    with pytest.raises(StoreError, match="open it"):
        _record(ledger, 1)
