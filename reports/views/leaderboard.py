"""An experiment's systems: what was compared, on how many items, and what came of it."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import streamlit as st

from harness.config.experiment import BASE
from harness.pipeline.board import Board, BoardRow, ExperimentSummary, experiments, leaderboard
from harness.pipeline.describe import describe_system, has_own_weights, model_name
from harness.pipeline.evidence import REGRESSION
from harness.records.estimates import Comparison
from harness.records.runs import RunState
from harness.store.claims import is_stopped
from reports import markup, wording
from reports.choosing import asked, choose
from reports.markup import ARROW
from reports.panels import show_metrics
from reports.reading import home, read

CARDS_IN_A_ROW = 5


def show() -> None:
    """Draws the page."""
    known = read(experiments)
    if not known:
        markup.title("No runs yet", "The ledger is here, and no run has been started in it.")
        st.code(f"harness run icd10_coding --home {home()}", language=None, wrap_lines=True)
        return
    heading, choices = st.columns([5, 4], gap="large")
    with choices:
        left, middle, right = st.columns(3, gap="small")
        with left:
            name = _choose_experiment(known)
        board = read(leaderboard, name, None)
        with middle:
            board = _hold_against(board, name)
        with right:
            board = _order(board)
    with heading:
        _show_heading(board)
    _show_unfinished(board)
    if not board.rows:
        markup.warn("Nothing to compare yet", "No system of this experiment has a finished run.")
        return
    _show_systems(board)
    golden = [metric for metric in board.metrics if not metric.name.startswith(REGRESSION)]
    regression = [metric for metric in board.metrics if metric.name.startswith(REGRESSION)]
    if golden:
        against = board.baseline or ""
        markup.section(
            "Answers to the golden set",
            f"Dots are values on {board.n_items} items, whiskers their 95 % intervals. Colours say whether the paired "
            f"difference from {against} is clear (its own interval leaves out zero); whiskers may overlap even then.",
        )
        show_metrics(golden, board.rows, against)
    if regression:
        markup.section(
            "What was forgotten",
            f"The same general tasks before and after fine-tuning; differences are from {BASE}, the base model itself. "
            "The dotted orange line is what guessing gives.",
        )
        show_metrics(regression, board.rows, BASE)
    _show_limits(board)


def _choose_experiment(known: Sequence[ExperimentSummary]) -> str:
    names = [one.name for one in known]
    counts = {one.name: f"{one.name} ({one.n_runs} run{'s' if one.n_runs != 1 else ''})" for one in known}
    return choose(
        "Experiment",
        "experiment",
        names,
        default=names[0],
        show=lambda name: counts[name],
        clears=("baseline", "order"),
    )


def _hold_against(board: Board, name: str) -> Board:
    """The board against the baseline that the reader chose."""
    systems = [row.system for row in (*board.rows, *board.apart) if row.system != BASE]
    if not systems or board.baseline is None:
        return board
    baseline = choose("Baseline: held against", "baseline", systems, default=board.baseline)
    return board if baseline == board.baseline else read(leaderboard, name, baseline)


def _order(board: Board) -> Board:
    """The board with the best system first, by the metric that the reader chose."""
    golden = {metric.name: metric for metric in board.metrics if not metric.name.startswith(REGRESSION)}
    if not golden:
        return board
    metric = golden[choose("Best first, by", "order", list(golden), default=next(iter(golden)))]
    sign = -1.0 if metric.direction == "higher_is_better" else 1.0
    values = {row.system: row.estimates.get(metric.name) for row in board.rows}

    def place(row: BoardRow) -> float:
        estimate = values[row.system]
        return math.inf if estimate is None else sign * estimate.value

    return replace(board, rows=tuple(sorted(board.rows, key=place)))


def _show_heading(board: Board) -> None:
    markup.title(board.question or board.experiment, f"Experiment {board.experiment}")
    every = [*board.rows, *board.apart]
    facts: list[tuple[str, object]] = [("systems", len([row for row in every if row.system != BASE]))]
    held = next((row.state.run for row in board.rows if row.system == board.baseline), None)
    if held:
        facts += [
            ("golden set", f"{held.golden_set} {held.golden_version}, {board.n_items} items"),
            ("base model", " and ".join(dict.fromkeys(model_name(row.state.run) for row in every))),
        ]
    markup.facts(facts)


def _show_unfinished(board: Board) -> None:
    finished = {row.system for row in (*board.rows, *board.apart)}
    for state in board.unfinished:
        left, right = st.columns([8, 1], vertical_alignment="center")
        with left:
            _say_unfinished(
                state, "the figures are of an earlier run" if state.run.system in finished else "no figures"
            )
        with right:
            st.page_link("views/run.py", label="Open run", icon=ARROW, query_params={"run": state.run.run_id})


def _say_unfinished(state: RunState, figures: str) -> None:
    system, begun = state.run.system, f"Begun {wording.moment(state.run.started_at)}; {figures}."
    if state.status != "running":
        how = "failed" if state.status == "failed" else "was interrupted"
        markup.warn(f"The newest run of {system} {how}", f"{begun} {state.reason or ''}")
    elif is_stopped(home(), state):
        markup.warn(f"A run of {system} stopped", f"{begun} Its process is gone: `harness run --resume` goes on.")
    else:
        markup.inform(f"{system} is running", begun)


def _show_systems(board: Board) -> None:
    held = next((row for row in board.rows if row.system == board.baseline), None)
    for first in range(0, len(board.rows), CARDS_IN_A_ROW):
        columns = st.columns(CARDS_IN_A_ROW, gap="small")
        for column, row in zip(columns, board.rows[first : first + CARDS_IN_A_ROW], strict=False):
            with column, st.container(border=True, height="stretch", gap="xxsmall"):
                _show_card(row, held)


def _show_card(row: BoardRow, held: BoardRow | None) -> None:
    labels = ["baseline"] if row is held else []
    if has_own_weights(row.state.run):
        labels.append("own weights")
    markup.badges(row.system, labels)
    markup.say(", ".join(describe_system(row.state.run)) or "recorded by another version of harness")
    for against, tally in _tally(row.differences.values()).items():
        markup.say(f"against {against}: {tally}")
    earlier = f"; {row.n_earlier} earlier" if row.n_earlier else ""
    markup.say(f"finished {wording.moment(row.state.ended_at)}{earlier}")
    run_id = row.state.run.run_id
    with st.container(horizontal=True, gap="small"):
        st.page_link("views/run.py", label="Run", icon=ARROW, query_params={"run": run_id})
        if held and any(one.baseline == held.system for one in row.differences.values()):
            link = {"candidate": run_id, "baseline": held.state.run.run_id}
            st.page_link("views/comparison.py", label="Compare", icon=ARROW, query_params=link)


def _tally(differences: Iterable[Comparison]) -> dict[str, str]:
    """By baseline: on how many metrics the difference is clear, and which way."""
    counts: dict[str, Counter[str]] = {}
    for one in differences:
        counts.setdefault(one.baseline, Counter())[wording.standing(one)] += 1
    return {
        name: ", ".join(f"{count[standing]} {standing}" for standing in wording.SIGNS if count[standing])
        for name, count in counts.items()
    }


def _show_limits(board: Board) -> None:
    markup.section("What these figures cannot show")
    said: list[str] = []
    if board.n_items:
        said.append(
            f"With {board.n_items} golden items, small differences cannot be seen: an interval that includes zero is "
            "not evidence that two systems are alike."
        )
    if any(row.state.run.system_config.get("finetune") for row in board.rows):
        said.append("One training seed a run: differences include the noise of training.")
    if not any(metric.name.startswith("rating/") for metric in board.metrics):
        said.append("No expert has rated these answers: the scores are those of programs.")
    if not any(metric.name.startswith(REGRESSION) for metric in board.metrics):
        said.append("No regression suite was evaluated: what was forgotten is not known.")
    if len(board.metrics) > 1:
        said.append(
            f"{len(board.metrics)} metrics are looked at here: of many 95 % intervals some miss by chance. A verdict "
            "reads only what its policy named beforehand."
        )
    markup.notes([*said, *board.notes])
    if board.apart:
        markup.section("Set apart", "These cannot be compared with the baseline, so they are not in the pictures.")
        for row in board.apart:
            left, right = st.columns([8, 1], vertical_alignment="center")
            with left:
                markup.warn(row.system, " ".join(row.apart))
            with right:
                st.page_link("views/run.py", label="Open run", icon=ARROW, query_params={"run": row.state.run.run_id})
    if not asked("experiment"):
        markup.say("This is the experiment with the newest run; choose one to get a link that stays with it.")


show()
