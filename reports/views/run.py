"""One run: what it is, how it went, what was measured, item by item, and where it comes from."""

import json
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from harness.pipeline.board import all_runs, in_order
from harness.pipeline.describe import describe_system
from harness.pipeline.run_items import GOLDEN, RunItem, run_items, run_progress
from harness.pipeline.show import RunDetails, run_details
from harness.pipeline.stage_facts import StageSpan, span_of, stage_spans
from harness.records.runs import RunState, TrainingMetric
from harness.records.scores import Score
from harness.store.claims import holder, is_stopped
from reports import markup, run_choice, wording
from reports.charts import CurvePoint, curves
from reports.choosing import choose
from reports.items import choose_item, show_generations, show_item
from reports.markup import ARROW, Cell, Forest, Line
from reports.reading import home, read

REFRESH_S = 5
LOSSES = {"train_loss": "training", "validation_loss": "validation"}


def show() -> None:
    """Draws the page."""
    states = read(all_runs)
    if not states:
        markup.title("No runs yet", "The ledger is here, and no run has been started in it.")
        st.code(f"harness run icd10_coding --home {home()}", language=None, wrap_lines=True)
        return
    by_id = {state.run.run_id: state for state in states}
    run_id = choose(
        "Run",
        "run",
        list(by_id),
        default=states[0].run.run_id,
        show=lambda run_id: run_choice.label(by_id[run_id]),
        clears=("item", "task"),
    )
    state = by_id[run_id]
    if state.status == "running" and not is_stopped(home(), state):
        st.fragment(_follow_run, run_every=REFRESH_S)(run_id)
    else:
        _show_run(run_id)


def _follow_run(run_id: str) -> None:
    """Draws a run in progress, again and again until it has ended."""
    if read(run_details, run_id).state.status != "running":
        st.rerun()
    _show_run(run_id)


def _show_run(run_id: str) -> None:
    details = read(run_details, run_id)
    _show_heading(details)
    _show_status(details.state)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _show_measured(details)
    with right:
        _show_probes(details)
        _show_training(details)
    _show_items(run_id, details)
    _show_provenance(details)


def _show_heading(details: RunDetails) -> None:
    run, facts = details.state.run, details.state.facts
    markup.title(run.system, f"Run {run.run_id} of experiment {run.experiment}")
    shown: list[tuple[str, object]] = [("status", details.state.status), ("begun", wording.moment(run.started_at))]
    shown += [(name, words) for name, words in _spent(facts) if words]
    shown.append(("golden set", f"{run.golden_set} {run.golden_version}"))
    markup.facts(shown)
    markup.say(", ".join(describe_system(run)))
    if details.registry:
        markup.notes(details.registry)
    with st.container(horizontal=True, gap="medium"):
        st.page_link(
            "views/leaderboard.py", label="Leaderboard", icon=ARROW, query_params={"experiment": run.experiment}
        )
        if details.state.status == "finished":
            st.page_link("views/comparison.py", label="Compare", icon=ARROW, query_params={"candidate": run.run_id})


def _spent(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """What a run took, as far as it is known."""
    return [
        ("wall time", _worded(facts.get("wall_s"), wording.duration)),
        ("training", _worded(facts.get("train_s"), wording.duration)),
        ("generation", _worded(facts.get("generate_s"), wording.duration)),
        ("tokens in", _worded(facts.get("prompt_tokens"), "{:,}".format)),
        ("tokens out", _worded(facts.get("completion_tokens"), "{:,}".format)),
        ("peak memory", _worded(facts.get("peak_memory_bytes"), wording.size)),
        ("device", " ".join(str(facts[name]) for name in ("device", "dtype") if name in facts)),
    ]


def _worded(value: object, words: Callable[[float], str]) -> str:
    return words(value) if isinstance(value, int | float) else ""


def _show_status(state: RunState) -> None:
    run_id, reason = state.run.run_id, state.reason or "No reason was recorded."
    if state.status in ("failed", "interrupted"):
        markup.warn(f"This run {'failed' if state.status == 'failed' else 'was interrupted'}", reason)
        markup.say(
            f"Ended {wording.moment(state.ended_at)}. What it had stored is below; it is in no comparison. When the "
            "reason is put right, `harness run EXPERIMENT --resume` goes on."
        )
    if state.status != "running":
        return
    if is_stopped(home(), state):
        markup.warn("This run stopped", "It is not finished, and no process on this machine works on it any more.")
        markup.say("`harness run EXPERIMENT --resume` goes on with it.")
    else:
        markup.inform("This run is in progress", f"In {holder(home(), run_id)}. Figures are of what is stored so far.")
        markup.say(f"This page reads again every {REFRESH_S} s.")
    for one in read(run_progress, run_id):
        done = f"{one.n_done} of {one.n_items} items"
        markup.facts([(one.task, done)])
        st.progress(min(one.n_done / one.n_items, 1.0) if one.n_items else 0.0)


def _show_measured(details: RunDetails) -> None:
    markup.section(
        "Measured", "Dots are values, whiskers 95 % intervals, on a scale from 0 to 1 where a metric has one."
    )
    if not details.estimates:
        markup.say("Nothing has been scored yet.")
        return
    rows: list[list[Cell]] = []
    for metric in in_order(details.metrics.values()):
        estimate = details.estimates[metric.name]
        value, interval = wording.value(estimate, metric.kind), wording.interval(estimate, metric.kind)
        tip = f"{metric.name}: {value} ({interval}); n {estimate.n}; {estimate.method}"
        bounded = metric.minimum == 0 and metric.maximum == 1
        rows.append(
            [
                (Line(text=metric.name), Line(text=wording.direction(metric) or metric.description, small=True)),
                (Line(text=value, tone="number"), Line(text=interval, tone="number", small=True)),
                Forest(at=estimate.value, low=estimate.low, high=estimate.high, zero=0, tone="plain", tip=tip)
                if bounded
                else "",
                Line(text=str(estimate.n), tone="number"),
            ]
        )
    markup.table(["metric", "value (interval)", "", "n"], rows)
    said = [f"{name}: {one.note}" for name, one in details.estimates.items() if one.note]
    markup.notes([*details.notes, *said])


def _show_probes(details: RunDetails) -> None:
    if not details.probes:
        return
    markup.section("Probes", "Is the thing measured the thing meant?")
    markup.table(["probe", "", "seen"], [_probe_row(probe) for probe in details.probes])


def _probe_row(probe: Score) -> list[Cell]:
    passed = probe.value == 1.0
    outcome = Line(text="passed" if passed else "FAILED", tone="better" if passed else "worse")
    return [probe.scorer, outcome, Line(text=probe.detail or "", small=True)]


def _show_training(details: RunDetails) -> None:
    spans = stage_spans(details.state.facts)
    points = [
        CurvePoint(name=LOSSES[one.name], step=one.step, value=one.value, stage=_stage_number(one, spans))
        for one in details.training
        if one.name in LOSSES
    ]
    if not points:
        return
    best = details.state.facts.get("best_epoch")
    validation = [one for one in details.training if one.name == "validation_loss"]
    at = next((one for one in validation if one.epoch == best), None)
    step = at.step if at else None
    said = "Loss in nats an answer token, on training records and on those held out."
    if spans:
        said += " Each stage has records of its own, so that losses of two stages do not compare."
    if at is not None:
        named = _epoch(at, spans) if spans else f"{at.epoch:g}"
        said += f" The dotted line is the best epoch ({named}), whose weights are evaluated."
    markup.section("Training", said)
    markup.notes([span.sentence for span in spans if span.facts])
    words = "; ".join(f"{_epoch(one, spans)}: validation loss {one.value:.4f}" for one in validation)
    st.altair_chart(curves(points, y_title="loss (nats)", best_step=step), width="stretch", alt=f"Loss curves. {words}")
    markup.say(words)


def _stage_number(point: TrainingMetric, spans: Sequence[StageSpan]) -> int:
    span = span_of(point, spans)
    return span.number if span else 1


def _epoch(point: TrainingMetric, spans: Sequence[StageSpan]) -> str:
    span = span_of(point, spans)
    return f"stage {span.number}, epoch {span.own_epoch(point):g}" if span else f"epoch {point.epoch:g}"


def _show_items(run_id: str, details: RunDetails) -> None:
    found = read(run_items, run_id)
    if not found:
        return
    markup.section("Item by item", "Choose a row to see what was asked and answered. A click on a column's head sorts.")
    tasks = list(dict.fromkeys(one.task for one in found))
    task = choose("Task", "task", tasks, default=tasks[0], clears=("item",)) if len(tasks) > 1 else tasks[0]
    shown = [one for one in found if one.task == task]
    names = [metric.name for metric in in_order(details.metrics.values()) if metric.name.rpartition("/")[0] == task]
    rows = [_list_row(one, names) for one in shown]
    chosen = choose_item([one.item_id for one in shown], rows, key=f"items-{run_id}-{task}", narrow=["item"])
    one = next((one for one in shown if one.item_id == chosen), None)
    if one:
        _show_item(one)


def _list_row(one: RunItem, names: Sequence[str]) -> dict[str, object]:
    row: dict[str, object] = {"item": one.item_id}
    for name in names:
        score = one.scores.get(name)
        row[name.rpartition("/")[2]] = None if score is None else score.value
    if one.task == GOLDEN:
        answer = one.generations[0] if one.generations else None
        row["answer"] = (
            "" if answer is None else " ".join((answer.text or f"(no answer: {answer.error})").split())[:200]
        )
        row["asked"] = " ".join(one.item.question.split())[:200] if one.item else ""
    else:
        row["subject"] = one.stratum or ""
        row["detail"] = next((score.detail or "" for score in one.scores.values()), "")
    return row


def _show_item(one: RunItem) -> None:
    with st.container(border=True):
        markup.badges(one.item_id, [one.stratum] if one.stratum else [])
        if one.item:
            show_item(one.item)
        elif one.task != GOLDEN:
            markup.say("The ledger holds the scores of this regression item, not its text.")
        left, right = st.columns(2, gap="medium")
        with left:
            if one.task == GOLDEN:
                st.caption("Answer")
                show_generations(one.generations)
        with right:
            st.caption("Scores")
            markup.table(["metric", "value", "detail"], [_score_row(score) for score in one.scores.values()])


def _score_row(score: Score) -> list[Cell]:
    value = "no value" if score.value is None else f"{score.value:g}"
    return [
        score.metric,
        value if score.status == "scored" else f"{value} ({score.status})",
        Line(text=score.detail or "", small=True),
    ]


def _show_provenance(details: RunDetails) -> None:
    run = details.state.run
    markup.section("Where it comes from", "Recorded when the run began; never changed afterwards.")
    left, right = st.columns(2, gap="large")
    with left:
        st.caption("Provenance")
        rows: list[list[Cell]] = [[name, _said(value)] for name, value in run.provenance.items()]
        markup.table(["", "recorded"], [*rows, *_identity_rows(details)])
    with right:
        st.caption("Configuration, as resolved")
        st.code(_as_json(run.system_config), language=None, wrap_lines=True)
        st.caption("Facts of the end")
        st.code(_as_json(details.state.facts), language=None, wrap_lines=True)


def _identity_rows(details: RunDetails) -> list[list[Cell]]:
    run = details.state.run
    rows: list[list[Cell]] = [
        ["experiment hash", Line(text=run.experiment_id, small=True)],
        ["inputs hash", Line(text=run.inputs_hash, small=True)],
        ["golden set sha256", Line(text=run.golden_sha256, small=True)],
    ]
    for artifact in details.artifacts:
        size = wording.size(artifact.size_bytes)
        rows.append([artifact.kind, (Line(text=f"{artifact.path}, {size}"), Line(text=artifact.sha256, small=True))])
    return rows


def _said(value: object) -> Cell:
    """A value of provenance: lists in a row, objects a line a key."""
    if isinstance(value, Mapping):
        return tuple(Line(text=f"{name}: {one}", small=True) for name, one in value.items())
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        return tuple(Line(text=", ".join(f"{name}: {of}" for name, of in one.items()), small=True) for one in value)
    words = " ".join(str(one) for one in value) if isinstance(value, list) else "" if value is None else str(value)
    return Line(text=words, small=True)


def _as_json(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), indent=2, ensure_ascii=False, sort_keys=True)


show()
