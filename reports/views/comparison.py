"""Two runs: every difference with its interval, and the items behind it, the worst regressions first."""

from collections.abc import Sequence

import streamlit as st

from harness.decision.flips import flip_sentence
from harness.pipeline.board import all_runs
from harness.pipeline.side_by_side import Answer, ItemPair, Outcome, RunComparison, compare_runs, side_by_side
from harness.records.estimates import Comparison
from harness.records.runs import RunState
from harness.records.scores import Metric
from harness.report.numbers import interval_text, p_value_text, value_text
from reports import forest, markup, run_choice, wording
from reports.choosing import asked, choose, filter_by
from reports.items import choose_item, show_generations, show_item
from reports.markup import ARROW, Cell, Line
from reports.reading import read

OUTCOMES: dict[Outcome, str] = {"worse": "Worse", "better": "Better", "same": "Same", "apart": "Not compared"}
SUBJECTS_SHOWN = 15


def show() -> None:
    """Draws the page."""
    finished = [state for state in read(all_runs) if state.status == "finished"]
    if len(finished) < 2:
        markup.title("Nothing to compare yet", "A comparison needs two finished runs.")
        st.code("harness run icd10_coding", language=None)
        return
    candidate, baseline = _choose_runs(finished)
    if baseline is None:
        return
    compared = read(compare_runs, candidate.run.run_id, baseline.run.run_id)
    _show_heading(compared, finished)
    _show_differences(compared)
    _show_items(compared)


def _choose_runs(finished: Sequence[RunState]) -> tuple[RunState, RunState | None]:
    by_id = {state.run.run_id: state for state in finished}
    left, right = st.columns(2, gap="medium")
    with left:
        chosen = choose(
            "Candidate",
            "candidate",
            list(by_id),
            default=run_choice.default_candidate(finished).run.run_id,
            show=lambda run_id: run_choice.label(by_id[run_id]),
            clears=("metric", "item", "show"),
        )
    candidate = by_id[chosen]
    others = [run_id for run_id in by_id if run_id != chosen]
    held = run_choice.default_baseline(finished, candidate)
    with right:
        if held is None:
            return candidate, None
        baseline = choose(
            "Baseline: held against",
            "baseline",
            others,
            default=held.run.run_id,
            show=lambda run_id: run_choice.label(by_id[run_id]),
            clears=("metric", "item", "show"),
        )
    return candidate, by_id[baseline]


def _show_heading(compared: RunComparison, finished: Sequence[RunState]) -> None:
    run = compared.candidate.run
    question = str(run.provenance.get("question") or "")
    markup.title(f"{compared.candidate_name} against {compared.baseline_name}", question)
    clear = {
        sign: [one.metric for one in compared.comparisons if wording.standing(one) == sign] for sign in wording.SIGNS
    }
    words = {"better": "clearly better on", "worse": "clearly worse on", "unclear": "not clearly different on"}
    said = [f"{words[sign]} {', '.join(names)}" for sign, names in clear.items() if names]
    markup.say(f"{compared.candidate_name} is {'; '.join(said)}." if said else "Nothing could be compared.")
    with st.container(horizontal=True, gap="medium"):
        st.page_link("views/run.py", label="Candidate's run", icon=ARROW, query_params={"run": run.run_id})
        st.page_link(
            "views/run.py", label="Baseline's run", icon=ARROW, query_params={"run": compared.baseline.run.run_id}
        )
        st.page_link(
            "views/leaderboard.py", label="Leaderboard", icon=ARROW, query_params={"experiment": run.experiment}
        )
        base = run_choice.base_of(finished, compared.candidate)
        if (
            base
            and base.run.run_id != compared.baseline.run.run_id
            and compared.candidate.run.system_config.get("finetune")
        ):
            link = {"candidate": run.run_id, "baseline": base.run.run_id}
            st.page_link(
                "views/comparison.py", label="Against base: what was forgotten?", icon=ARROW, query_params=link
            )


def _show_differences(compared: RunComparison) -> None:
    confidence = next((one.confidence for one in compared.comparisons), 0.95)
    markup.section(
        "Differences",
        f"Paired on items; positive is better for {compared.candidate_name}. Dots are differences, whiskers their "
        f"{confidence:.0%} intervals: where a whisker crosses zero, nothing is shown either way.",
    )
    by_name = {metric.name: metric for metric in compared.metrics}
    groups: dict[str, list[Comparison]] = {}
    for one in compared.comparisons:
        groups.setdefault(_unit(one, by_name[one.metric]), []).append(one)
    rows: list[list[Cell]] = []
    heads: set[int] = set()
    for unit, group in groups.items():
        scale = forest.scale_of([*group, *(one.without for one in group if one.without)])
        heads.add(len(rows))
        percent = group[0].kind == "binary"
        rows.append([Line(text=unit, tone="muted"), "", "", forest.ticks(scale, percent=percent), "", "", "", ""])
        for one in group:
            rows.append(_difference_row(one, by_name[one.metric], scale))
            if one.without:
                learned = f"without the {one.overlapping} also learned"
                rows.append(_difference_row(one.without, by_name[one.metric], scale, name=learned))
    columns: list[Cell] = ["metric", compared.candidate_name, compared.baseline_name, "", "difference (interval)"]
    markup.table([*columns, "items better / worse / same", "n", "p"], rows, marked=frozenset(heads))
    said = [_say_warning(one, warning) for one in compared.comparisons for warning in one.warnings]
    markup.notes([*dict.fromkeys(said), *compared.set_apart])
    with st.expander("How each interval was computed"):
        markup.table(
            ["metric", "method"], [[one.metric, Line(text=one.test, small=True)] for one in compared.comparisons]
        )


def _unit(comparison: Comparison, metric: Metric) -> str:
    """What the differences are counted in; metrics without bounds have a scale of their own."""
    if comparison.kind == "binary":
        return "pass/fail, in points"
    return "graded, in the metric's unit" if metric.minimum is not None and metric.maximum is not None else metric.name


def _difference_row(one: Comparison, metric: Metric, scale: forest.Scale, *, name: str | None = None) -> list[Cell]:
    tone = wording.standing(one)
    heading = (Line(text=one.metric), Line(text=wording.direction(metric), small=True))
    return [
        Line(text=name, small=True) if name else heading,
        _side(one.candidate_value, one.candidate_interval, one),
        _side(one.baseline_value, one.baseline_interval, one),
        forest.row(one, scale),
        Line(text=wording.difference(one), tone=tone),
        f"{one.better} / {one.worse} / {one.same}",
        Line(text=str(one.n) + (f" ({one.n_missing} missing)" if one.n_missing else ""), tone="number"),
        p_value_text(one.p_value),
    ]


def _side(value: float, interval: tuple[float, float] | None, one: Comparison) -> Cell:
    low, high = interval or (None, None)
    return (
        Line(text=value_text(value, one.kind), tone="number"),
        Line(text=interval_text(low, high, one.kind), small=True),
    )


def _say_warning(one: Comparison, warning: str) -> str:
    """A warning with the metric it is of, where it does not begin with it (or with its task) already."""
    task = one.metric.rpartition("/")[0]
    return warning if warning.startswith(task) else f"{one.metric}: {warning}"


def _show_items(compared: RunComparison) -> None:
    names = [one.metric for one in compared.comparisons]
    markup.section("Items side by side", "The worst regressions come first. Choose a row to see both answers.")
    left, right = st.columns([1, 2], vertical_alignment="bottom", gap="medium")
    with left:
        name = choose("Metric", "metric", names, default=names[0], clears=("item", "show"))
    metric = next(metric for metric in compared.metrics if metric.name == name)
    pairs = read(side_by_side, compared.candidate.run.run_id, compared.baseline.run.run_id, name)
    counts = {outcome: sum(pair.outcome == outcome for pair in pairs) for outcome in OUTCOMES}
    options = {"all": f"All {len(pairs)}"}
    options |= {outcome: f"{words} {counts[outcome]}" for outcome, words in OUTCOMES.items() if counts[outcome]}
    linked = next((pair.outcome for pair in pairs if pair.item_id == asked("item")), None)
    with right:
        wanted = filter_by("Outcome", "show", options, default="worse" if counts["worse"] and not linked else "all")
    _show_flips(compared, name)
    shown = [pair for pair in pairs if wanted in ("all", pair.outcome)]
    if wanted == "better":
        shown.sort(key=lambda pair: -(pair.difference or 0.0))
    key = "-".join(["items", compared.candidate.run.run_id, compared.baseline.run.run_id, name, wanted])
    rows = [_list_row(pair, metric, compared) for pair in shown]
    chosen = choose_item([pair.item_id for pair in shown], rows, key=key, narrow=["outcome", "item"])
    pair = next((pair for pair in shown if pair.item_id == chosen), None)
    if pair:
        _show_pair(pair, metric, compared)


def _list_row(pair: ItemPair, metric: Metric, compared: RunComparison) -> dict[str, object]:
    question = pair.item.question if pair.item else f"({pair.stratum or 'text not in the ledger'})"
    return {
        "outcome": OUTCOMES[pair.outcome].lower(),
        "item": pair.item_id,
        compared.candidate_name: _short(pair.candidate, metric),
        compared.baseline_name: _short(pair.baseline, metric),
        "asked": " ".join(question.split())[:200],
    }


def _short(answer: Answer, metric: Metric) -> str:
    if answer.value is None:
        return "no value"
    return f"{answer.value:g}" if metric.kind == "binary" else value_text(answer.value, metric.kind)


def _show_pair(pair: ItemPair, metric: Metric, compared: RunComparison) -> None:
    words = {"better": "better", "worse": "worse", "same": "the same", "apart": "not compared"}[pair.outcome]
    with st.container(border=True):
        markup.badges(pair.item_id, [f"{metric.name}: {compared.candidate_name} is {words}"])
        if pair.reason:
            markup.warn("Not compared", pair.reason)
        if pair.item:
            show_item(pair.item)
        else:
            markup.say("The ledger holds the scores of this regression item, not its text.")
        sides = st.columns(2, gap="medium")
        answers = (pair.candidate, compared.candidate_name), (pair.baseline, compared.baseline_name)
        for column, (answer, name) in zip(sides, answers, strict=True):
            with column:
                value = "no value" if answer.value is None else value_text(answer.value, metric.kind)
                if metric.kind == "binary" and answer.value in (0.0, 1.0):
                    value = "pass" if answer.value else "fail"
                markup.badges(name, [value])
                if answer.detail:
                    st.text(answer.detail)
                if pair.item:
                    show_generations(answer.generations)


def _show_flips(compared: RunComparison, name: str) -> None:
    strata = [one for one in compared.flips.get(name, ()) if one.lost or one.gained]
    if not strata:
        return
    with st.expander("Answers lost and gained, by subject", expanded=True):
        markup.say(flip_sentence(name, strata, shown=0).removesuffix(" ()"))
        rows: list[list[Cell]] = [
            [one.stratum, str(one.n), Line(text=str(len(one.lost)), tone="worse" if one.lost else "muted"),
             Line(text=str(len(one.gained)), tone="better" if one.gained else "muted"),
             Line(text=", ".join([*one.lost, *one.gained][:6]), small=True)]
            for one in strata[:SUBJECTS_SHOWN]
        ]  # fmt: skip
        markup.table(["subject", "items", "right to wrong", "wrong to right", "which"], rows)
        if len(strata) > SUBJECTS_SHOWN:
            markup.say(f"and {len(strata) - SUBJECTS_SHOWN} more subjects; the list below has every item.")


show()
