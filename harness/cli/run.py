"""`harness run`."""

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Experiment, Home, Json, Set, as_typed
from harness.errors import DiskFullError

if TYPE_CHECKING:
    from harness.pipeline.prepare import Prepared
    from harness.pipeline.run import Begin, SystemOutcome


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
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Fine-tune, generate, score and record each system of an experiment.

    With --monitor, the run that the policy's alias points at answers the golden set as it is now, and is compared with
    its own promotion: exit code 3 where a metric is clearly worse, or items are not answered any more.

    Examples:

      harness run suites/experiments/icd10_coding

      harness run icd10_coding --only lora --set systems.lora.finetune.epochs=1

      harness run icd10_coding --resume
    """
    if monitor and (again or resume or only):
        raise typer.BadParameter("--monitor runs what is promoted: leave out --only, --again and --resume.")
    if monitor:
        _monitor(experiment, tuple(set_ or ()), home, json=json)
        return
    if again and resume:
        raise typer.BadParameter("--again begins anew, and --resume goes on with what was begun: give one of them.")
    begin: Begin = "again" if again else "resume" if resume else "missing"
    going_on = f"{_typed(experiment, only, set_, home)} --resume"
    try:
        prepared, outcomes = _run(experiment, tuple(set_ or ()), home, tuple(only or ()), begin)
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


def _run(
    experiment: Path, overrides: tuple[str, ...], home: Path, only: tuple[str, ...], begin: "Begin"
) -> "tuple[Prepared, dict[str, SystemOutcome]]":
    from harness.cli.output import TerminalProgress
    from harness.pipeline.prepare import prepare
    from harness.pipeline.run import run_experiment

    prepared = prepare(experiment, overrides)
    return prepared, run_experiment(prepared, home, TerminalProgress(), only=only, begin=begin)


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
