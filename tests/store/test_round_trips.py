"""What goes in comes out, whatever the texts and numbers are."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.records.generations import Generation, Passage
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message
from harness.records.runs import TrainingMetric
from harness.records.scores import Metric, Score
from harness.store.generations import generations, record_generations
from harness.store.golden import golden_items, golden_set, record_golden_set
from harness.store.ledger import Ledger
from harness.store.runs import runs, start_run
from harness.store.scores import metrics, record_metrics, record_scores, scores
from harness.store.training_metrics import record_training_metrics, training_metrics

few = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.one_of(
    st.sampled_from(
        ["", "'", '"', "''; DROP TABLE runs; --", "a\nb\r\n\tc", "\0", "a\0b", "é", "e\u0301", "🩺", "NULL"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
floats = st.floats(allow_nan=False)
finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
moments = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
counts = st.none() | st.integers(0, 2**40)


def _generation(answer: tuple[str | None, str | None], fields: dict[str, object]) -> Generation:
    return Generation(text=answer[0], error=answer[1], **fields)


generation_records = st.builds(
    _generation,
    st.tuples(texts, st.none()) | st.tuples(st.none(), texts),
    st.fixed_dictionaries(
        {
            "item_id": texts,
            "item_hash": texts,
            "sample_index": st.integers(0, 9),
            "finish_reason": st.sampled_from([None, "stop", "length"]),
            "prompt_hash": st.none() | texts,
            "prompt_tokens": counts,
            "completion_tokens": counts,
            "latency_s": st.none() | floats,
            "passages": st.lists(st.builds(Passage, passage_id=texts, text=texts, score=floats), max_size=3).map(tuple),
        }
    ),
)

score_records = st.builds(
    lambda outcome, fields: Score(status=outcome[0], value=outcome[1], **fields),
    st.tuples(st.just("scored"), floats)
    | st.tuples(st.just("unparsed"), st.none() | floats)
    | st.just(("failed", None)),
    st.fixed_dictionaries(
        {
            "task": texts,
            "item_id": texts,
            "item_hash": texts,
            "scorer": texts,
            "sample_index": st.integers(0, 9),
            "group": st.none() | texts,
            "stratum": st.none() | texts,
            "detail": st.none() | texts,
        }
    ),
)

tuples_of_texts = st.lists(texts, max_size=3).map(tuple)
items = st.builds(
    Item,
    item_id=texts,
    input=st.lists(
        st.builds(Message, role=st.sampled_from(["system", "user", "assistant"]), content=texts), min_size=1, max_size=3
    ).map(tuple),
    references=tuples_of_texts,
    kind=st.sampled_from(["typical", "edge", "adversarial", "out_of_scope"]),
    tags=tuples_of_texts,
    group=st.none() | texts,
    difficulty=st.sampled_from([None, "easy", "medium", "hard"]),
    source=st.none() | texts,
    notes=st.none() | texts,
    must_contain=tuples_of_texts,
    must_not_contain=tuples_of_texts,
)
golden_sets = st.builds(
    GoldenSet,
    name=texts,
    version=texts,
    sha256=st.just("s"),
    licence=texts,
    items=st.lists(items, max_size=4, unique_by=lambda item: item.item_id).map(tuple),
    scorers=tuples_of_texts,
    known_codes=st.none() | st.frozensets(texts, max_size=3),
)


@few
@given(st.lists(generation_records, max_size=5, unique_by=lambda g: (g.item_id, g.sample_index)))
def test_generations_come_back_as_they_were(ledger: Ledger, fresh_run, records: list[Generation]):
    run_id = fresh_run()
    assert record_generations(ledger, run_id, records) == len(records)
    assert record_generations(ledger, run_id, records) == 0
    found = generations(ledger, run_id)
    assert sorted(found, key=repr) == sorted(records, key=repr)
    assert found == sorted(found, key=lambda g: (g.item_id.encode(), g.sample_index))


@few
@given(st.lists(score_records, max_size=5, unique_by=lambda s: (s.task, s.item_id, s.sample_index, s.scorer)))
def test_scores_come_back_as_they_were(ledger: Ledger, fresh_run, records: list[Score]):
    run_id = fresh_run()
    assert record_scores(ledger, run_id, records) == len(records)
    assert record_scores(ledger, run_id, records) == 0
    assert sorted(scores(ledger, run_id), key=repr) == sorted(records, key=repr)
    for record in records:
        assert record in scores(ledger, run_id, task=record.task)


@few
@given(golden_sets)
def test_golden_sets_come_back_as_they_were(ledger: Ledger, record: GoldenSet):
    # The examples share a ledger, where a hash stands for the items it was first recorded with.
    sha256 = uuid4().hex
    record = replace(record, sha256=sha256, version=f"{record.version}-{sha256}")
    for _ in range(2):
        record_golden_set(ledger, record)
    assert golden_set(ledger, record.sha256) == record
    assert golden_items(ledger, record.sha256) == list(record.items)


@few
@given(st.dictionaries(texts, json_values, max_size=3), st.dictionaries(texts, json_values, max_size=3), moments, texts)
def test_runs_come_back_as_they_were(ledger: Ledger, make_run, config, provenance, started_at, text):
    run = make_run(
        f"{len(runs(ledger))}-{text}",
        system_config=config,
        provenance=provenance,
        started_at=started_at,
        experiment=text,
        system=text,
    )
    start_run(ledger, run)
    start_run(ledger, run)
    assert run in [state.run for state in runs(ledger, experiment=text, system=text)]


@few
@given(
    st.lists(
        st.builds(TrainingMetric, name=texts, value=floats, step=st.integers(1, 2**40), epoch=finite, at=moments),
        max_size=5,
        unique_by=lambda metric: (metric.name, metric.step),
    )
)
def test_training_metrics_come_back_as_they_were(ledger: Ledger, fresh_run, records: list[TrainingMetric]):
    run_id = fresh_run()
    assert record_training_metrics(ledger, run_id, records) == len(records)
    assert record_training_metrics(ledger, run_id, records) == 0
    found = training_metrics(ledger, run_id)
    assert sorted(found, key=repr) == sorted(records, key=repr)
    for record in records:
        assert record in training_metrics(ledger, run_id, name=record.name)


@few
@given(
    st.lists(
        st.builds(
            Metric,
            name=texts,
            kind=st.sampled_from(["binary", "graded", "count"]),
            direction=st.sampled_from(["higher_is_better", "lower_is_better"]),
            minimum=st.none() | floats,
            maximum=st.none() | floats,
            chance=st.none() | floats,
            description=texts,
        ),
        max_size=4,
    )
)
def test_the_last_definition_of_a_metric_counts(ledger: Ledger, records: list[Metric]):
    for _ in range(2):
        record_metrics(ledger, records)
    found = metrics(ledger)
    for name, metric in {record.name: record for record in records}.items():
        assert found[name] == metric
