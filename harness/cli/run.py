"""`harness run`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Experiment, Home, Json, Set, as_typed

if TYPE_CHECKING:
    from harness.pipeline.prepare import Prepared
    from harness.pipeline.run import SystemOutcome


def run(
    experiment: Experiment,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="SYSTEM", help="run this system only (repeatable)")
    ] = None,
    set_: Set = None,
    again: Annotated[bool, typer.Option("--again", help="run also what has finished on the same inputs")] = False,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Fine-tune, generate, score and record each system of an experiment.

    Examples:

      harness run suites/experiments/icd10_coding

      harness run icd10_coding --only lora --set systems.lora.finetune.epochs=1
    """
    from harness.cli.output import TerminalProgress, print_json
    from harness.pipeline.prepare import prepare

    prepared = prepare(experiment, tuple(set_ or ()))
    prepared.experiment.chosen(only or [])
    progress = TerminalProgress()
    progress.say("loading libraries")
    from harness.pipeline.run import run_experiment

    outcomes = run_experiment(prepared, home, progress, only=only or (), again=again)
    if json:
        print_json(_as_json(prepared, outcomes))
    else:
        _print(outcomes, f"{experiment}{as_typed(set_)}", home)
    if any(outcome.problem for outcome in outcomes.values()):
        raise typer.Exit(1)


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
    finished = [name for name, outcome in outcomes.items() if outcome.state.status == "finished"]
    if len(finished) > 1:
        candidate = [name for name in finished if name != "base"][-1]
        baselines = [name for name in finished if name != candidate]
        at = "" if home == DEFAULT_HOME else f" --home {home}"
        typer.echo(f"next: harness compare {experiment} --candidate {candidate} --against {' '.join(baselines)}{at}")
