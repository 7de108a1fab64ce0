"""`harness run`."""

import shlex
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import (
    DEFAULT_HOME,
    AllowOverlap,
    By,
    Debug,
    Experiment,
    Home,
    Json,
    Set,
    as_typed,
    user_name,
)
from harness.errors import DiskFullError

HUMAN = "human"  # as in harness.config.experiment, whose import would slow down `--help`

if TYPE_CHECKING:
    from harness.pipeline.prepare import Prepared
    from harness.pipeline.run import Begin, SystemOutcome
    from harness.pipeline.sealed import SealedOutcome
    from harness.records.overlaps import Allowance


def run(
    experiment: Experiment,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="SYSTEM", help="run this system only (repeatable)")
    ] = None,
    set_: Set = None,
    again: Annotated[bool, typer.Option("--again", help="run also what has finished on the same inputs")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="go on with runs that were begun and not finished")] = False,
    monitor: Annotated[
        bool, typer.Option("--monitor", help="ask what is promoted again, and compare it with its own promotion")
    ] = False,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="have finished runs answer the sealed items, for `harness gate` alone")
    ] = False,
    answers: Annotated[
        Path | None, typer.Option("--answers", metavar="FILE", help="an expert's answers, with --only human")
    ] = None,
    allow_overlap: AllowOverlap = None,
    by: By = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Fine-tune, generate, score and record each system of an experiment.

    With --monitor, the run that the policy's alias points at answers the golden set as it is now, and is compared with
    its own promotion: exit code 3 where a metric is clearly worse, or items are not answered any more.

    `--only human` records an expert's answers as a system called `human`, scored and compared like any other: from a
    file with `item_id` and `answer` (CSV, JSONL), or the golden references.

    With --sealed, each finished run answers the golden set's sealed items with its adapter as it is. Their scores are
    shown nowhere; `harness gate` reads them, and each time is counted.

    Examples:

      harness run suites/experiments/icd10_coding

      harness run icd10_coding --only lora --set systems.lora.finetune.epochs=1

      harness run icd10_coding --resume

      harness run icd10_coding --sealed --only lora

      harness run icd10_coding --only human --answers expert.csv

      harness run icd10_coding --only human --sealed --answers expert_sealed.csv
    """
    options = {
        "again": again,
        "resume": resume,
        "monitor": monitor,
        "sealed": sealed,
        "only": only,
        "answers": answers,
        "allow_overlap": allow_overlap is not None,
    }
    _refuse_contradictions({name for name, given in options.items() if given}, only or [])
    if monitor:
        _monitor(experiment, tuple(set_ or ()), home, json=json)
        return
    begin: Begin = "again" if again else "resume" if resume else "missing"
    typed = _typed(experiment, only, set_, home)
    typed += "" if allow_overlap is None else f" --allow-overlap {shlex.quote(allow_overlap)}"
    going_on = f"{typed} --sealed" if sealed else f"{typed} --resume"
    try:
        if sealed:
            answer = partial(_record_human_sealed, answers=answers) if only == [HUMAN] else _answer_sealed
            found = answer(experiment, tuple(set_ or ()), home, tuple(only or ()), by=by or user_name())
            _say_sealed(found, typed, home, json=json)
            return
        allowance = None if allow_overlap is None else _allowance(allow_overlap, by)
        run_it = partial(_record_human, answers=answers) if only == [HUMAN] else partial(_run, allowance=allowance)
        prepared, outcomes = run_it(experiment, tuple(set_ or ()), home, tuple(only or ()), begin)
    except KeyboardInterrupt:
        sys.stderr.write(f"stopped. What was finished is kept. Go on with: {going_on}\n")
        raise typer.Exit(130) from None
    except DiskFullError as full:
        raise DiskFullError(f"{full} That is:\n  {going_on}") from full
    if json:
        from harness.cli.output import print_json

        print_json(_as_json(prepared, outcomes))
    else:
        _print(outcomes, f"{experiment}{as_typed(set_)}", home)
    if any(outcome.problem for outcome in outcomes.values()):
        sys.stderr.write(f"when that is put right, go on with: {going_on}\n")
        raise typer.Exit(1)


def _refuse_contradictions(given: set[str], only: list[str]) -> None:
    """Refuses options that say different things; `given` has the names of those that were given."""
    problem: str | None = None
    if "monitor" in given and len(given) > 1:
        problem = "--monitor runs what is promoted: leave out what says what else to run, and how."
    elif "sealed" in given and given & {"again", "resume", "allow_overlap"}:
        problem = "--sealed goes on with runs as they are: leave out --again, --resume and --allow-overlap."
    elif {"again", "resume"} <= given:
        problem = "--again begins anew, and --resume goes on with what was begun: give one of them."
    elif "answers" in given and only != [HUMAN]:
        problem = f"--answers are an expert's: give them with --only {HUMAN}, and no other system."
    elif HUMAN in only and (only != [HUMAN] or given & {"resume", "allow_overlap"}):
        problem = f"--only {HUMAN} records an expert's answers: give it alone, or with --answers, --again or --sealed."
    if problem:
        raise typer.BadParameter(problem)


def _monitor(experiment: Path, overrides: tuple[str, ...], home: Path, *, json: bool) -> None:
    from harness.cli.compare import print_comparisons
    from harness.cli.output import TerminalProgress, print_json
    from harness.pipeline.monitor import AT_PROMOTION, monitor
    from harness.pipeline.prepare import prepare

    drift = monitor(prepare(experiment, overrides), home, TerminalProgress())
    grounds = drift.pointed.grounds
    if json:
        print_json(
            {
                "alias": grounds.promotion.alias,
                "promoted_run": grounds.promotion.run_id,
                "run_id": drift.state.run.run_id,
                "comparisons": [asdict(one) for one in drift.comparisons],
                "set_apart": list(drift.set_apart),
                "worse": [one.metric for one in drift.worse],
                "unanswered": list(drift.unanswered),
            }
        )
    else:
        print_comparisons(drift.comparisons, AT_PROMOTION)
        for sentence in (*drift.set_apart, *drift.pointed.notes):
            typer.echo(f"note: {sentence}")
        found = [f"clearly worse on {one.metric}" for one in drift.worse]
        found += [f"no answer any more to {len(drift.unanswered)} items"] if drift.unanswered else []
        found += [f"{len(drift.set_apart)} metrics cannot be compared"] if drift.set_apart else []
        typer.echo(f"{grounds.promotion.alias}: {', '.join(found) or 'no metric is clearly worse'}")
    if drift.has_drifted:
        raise typer.Exit(3)


def _allowance(reason: str, by: str | None) -> "Allowance":
    from harness.records.overlaps import Allowance

    return Allowance(reason=reason.strip(), by=by or user_name(), at=datetime.now(UTC))


def _answer_sealed(
    experiment: Path, overrides: tuple[str, ...], home: Path, only: tuple[str, ...], *, by: str
) -> "dict[str, SealedOutcome]":
    from harness.cli.output import TerminalProgress
    from harness.pipeline.prepare import prepare
    from harness.pipeline.sealed import answer_sealed

    return answer_sealed(prepare(experiment, overrides), home, TerminalProgress(), by=by, only=only)


def _record_human_sealed(
    experiment: Path, overrides: tuple[str, ...], home: Path, only: tuple[str, ...], *, by: str, answers: Path | None
) -> "dict[str, SealedOutcome]":
    from harness.cli.output import TerminalProgress
    from harness.pipeline.human_sealed import record_human_sealed
    from harness.pipeline.prepare import prepare

    prepared = prepare(experiment, overrides)
    return {only[0]: record_human_sealed(prepared, home, TerminalProgress(), by=by, answers=answers)}


def _say_sealed(outcomes: "dict[str, SealedOutcome]", typed: str, home: Path, *, json: bool) -> None:
    """Which run has answered how many sealed items; what it answered is said nowhere."""
    if json:
        from harness.cli.output import print_json

        said = {
            name: {**asdict(one), "problem": str(one.problem) if one.problem else None}
            for name, one in outcomes.items()
        }
        print_json({"sealed": said})
    else:
        for name, one in outcomes.items():
            run = f"run {one.run_id}" if one.run_id else "no run"
            there = ", before already" if one.reused else ""
            typer.echo(f"{name}: {one.answered} of {one.items} sealed items answered{there} ({run})")
    if any(one.problem for one in outcomes.values()):
        sys.stderr.write(f"when that is put right, go on with: {typed} --sealed\n")
        raise typer.Exit(1)


def _run(
    experiment: Path,
    overrides: tuple[str, ...],
    home: Path,
    only: tuple[str, ...],
    begin: "Begin",
    allowance: "Allowance | None",
) -> "tuple[Prepared, dict[str, SystemOutcome]]":
    from harness.cli.output import TerminalProgress
    from harness.pipeline.prepare import prepare
    from harness.pipeline.run import run_experiment

    prepared = prepare(experiment, overrides)
    return prepared, run_experiment(prepared, home, TerminalProgress(), only=only, begin=begin, allowance=allowance)


def _record_human(
    experiment: Path,
    overrides: tuple[str, ...],
    home: Path,
    only: tuple[str, ...],
    begin: "Begin",
    answers: Path | None,
) -> "tuple[Prepared, dict[str, SystemOutcome]]":
    from harness.cli.output import TerminalProgress
    from harness.pipeline.human import record_human
    from harness.pipeline.prepare import prepare

    prepared, again = prepare(experiment, overrides), begin == "again"
    return prepared, {only[0]: record_human(prepared, home, TerminalProgress(), answers=answers, again=again)}


def _typed(experiment: Path, only: list[str] | None, set_: list[str] | None, home: Path) -> str:
    """The command as it was typed, without what says how to begin."""
    systems = "".join(f" --only {shlex.quote(system)}" for system in only or ())
    at = "" if home == DEFAULT_HOME else f" --home {shlex.quote(str(home))}"
    return f"harness run {shlex.quote(str(experiment))}{systems}{as_typed(set_)}{at}"


def _as_json(prepared: "Prepared", outcomes: "dict[str, SystemOutcome]") -> object:
    return {
        "experiment_id": prepared.experiment.experiment_id,
        "runs": {
            name: {
                "run_id": outcome.state.run.run_id,
                "status": outcome.state.status,
                "reused": outcome.reused,
                "reason": outcome.state.reason,
            }
            for name, outcome in outcomes.items()
        },
    }


def _print(outcomes: "dict[str, SystemOutcome]", experiment: str, home: Path) -> None:
    from rich.table import Table

    from harness.cli.output import console

    table = Table("system", "run", "status", "wall time", title="Runs", title_justify="left")
    for name, outcome in outcomes.items():
        wall_s = outcome.state.facts.get("wall_s")
        took = "there already" if outcome.reused else f"{wall_s:.0f} s" if isinstance(wall_s, float) else ""
        table.add_row(name, outcome.state.run.run_id, outcome.state.status, took)
    console().print(table)
    ended = [outcome.state for outcome in outcomes.values() if outcome.state.status == "finished"]
    finished = list(dict.fromkeys(state.run.system for state in ended))
    if len(finished) > 1:
        candidate = [name for name in finished if name != "base"][-1]
        baselines = [name for name in finished if name != candidate]
        at = "" if home == DEFAULT_HOME else f" --home {home}"
        typer.echo(f"next: harness compare {experiment} --candidate {candidate} --against {' '.join(baselines)}{at}")
