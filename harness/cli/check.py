"""`harness check`."""

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Experiment, Home, Json, Set, as_typed

if TYPE_CHECKING:
    from harness.pipeline.check import SystemEstimate
    from harness.pipeline.prepare import Prepared
    from harness.records.regression import TimeEstimate


def check(
    experiment: Experiment,
    set_: Set = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="load the base model and time a few items of the regression suite")
    ] = False,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check an experiment, its data and its models, and estimate the time; load no model unless asked to measure.

    Examples:

      harness check suites/experiments/icd10_coding

      harness check icd10_coding --set systems.lora.finetune.epochs=5

      harness check icd10_coding --set regression=full --measure
    """
    from harness.pipeline.check import estimate_systems
    from harness.pipeline.monitor import stale_evidence
    from harness.pipeline.overlap import guard_suite
    from harness.pipeline.policy_check import check_policy
    from harness.pipeline.power import power_sentence
    from harness.pipeline.prepare import prepare

    prepared = prepare(experiment, tuple(set_ or ()))
    systems = list(prepared.experiment.systems.values())
    check_policy(prepared)
    guarded = guard_suite(prepared, systems)
    estimates = estimate_systems(prepared, systems, home)
    power = power_sentence(prepared.golden_set)
    measured = _measure(prepared) if measure else {}
    stale = stale_evidence(prepared.experiment.policy, home)
    if json:
        from harness.cli.output import print_json

        suite = {task: asdict(estimate) for task, estimate in measured.items()}
        said = {"regression_items_guarded": guarded, "power": power, "stale_evidence": stale}
        print_json({**_as_json(prepared, estimates), "regression_measured": suite, **said})
    else:
        _print(prepared, estimates)
        if guarded:
            typer.echo(f"overlap: no training record holds any of the {guarded:,} items of the regression tasks")
        typer.echo(f"power: {power}")
        _print_suite(prepared, measured)
        if stale:
            typer.echo(f"warning: {stale}")
        typer.echo(f"next: harness run {experiment}{as_typed(set_)}")


def _measure(prepared: "Prepared") -> "dict[str, TimeEstimate]":
    suite = prepared.experiment.regression
    if suite is None:
        return {}
    from harness.cli.output import TerminalProgress

    progress = TerminalProgress()
    progress.say("loading libraries")
    from harness.pipeline.regress import measure_suite

    return measure_suite(prepared, suite, progress)


def _print_suite(prepared: "Prepared", measured: "dict[str, TimeEstimate]") -> None:
    suite = prepared.experiment.regression
    if suite is None:
        return
    kind = "a subset of each task" if suite.is_subset else "every item"
    typer.echo(f"regression suite {suite.name}: {', '.join(task.task for task in suite.tasks)} ({kind})")
    for task, estimate in measured.items():
        typer.echo(
            f"  {task}: {_duration(estimate.seconds)} for each set of weights "
            f"({estimate.items:,} items, from {estimate.measured_items} measured now)"
        )
    if not measured:
        typer.echo("  its time is not in the estimates above; --measure loads the model and times a few items")


def _as_json(prepared: "Prepared", estimates: "list[SystemEstimate]") -> dict[str, object]:
    golden_set, training_set = prepared.golden_set, prepared.training_set
    return {
        "experiment": prepared.experiment.name,
        "experiment_id": prepared.experiment.experiment_id,
        "golden_set": {
            "name": golden_set.name,
            "version": golden_set.version,
            "sha256": golden_set.sha256,
            "items": len(golden_set.items),
            "kinds": dict(Counter(item.kind for item in golden_set.items)),
        },
        "training_set": training_set
        and {"records": len(training_set.records), "format": training_set.format, "sha256": training_set.sha256},
        "corpus": {"passages": len(prepared.corpus)},
        "metrics": [scorer.metric.name for scorer in prepared.scorers],
        "overlaps": 0,
        "regression": prepared.experiment.regression
        and {
            "suite": prepared.experiment.regression.name,
            "is_subset": prepared.experiment.regression.is_subset,
            "tasks": [task.model_dump(mode="json") for task in prepared.experiment.regression.tasks],
        },
        "systems": [asdict(estimate) for estimate in estimates],
    }


def _print(prepared: "Prepared", estimates: "list[SystemEstimate]") -> None:
    from rich.table import Table

    from harness.cli.output import console

    golden_set, training_set = prepared.golden_set, prepared.training_set
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(item.kind for item in golden_set.items).items())
    typer.echo(f"{prepared.experiment.name}: {prepared.experiment.question}")
    typer.echo(f"  golden set   {golden_set.name} {golden_set.version}: {len(golden_set.items)} items ({kinds})")
    if training_set:
        typer.echo(
            f"  training set {len(training_set.records)} records ({training_set.format}); none overlaps the golden set"
        )
    if prepared.corpus:
        typer.echo(f"  corpus       {len(prepared.corpus)} passages")
    typer.echo(f"  metrics      {', '.join(scorer.metric.name for scorer in prepared.scorers)}")
    table = Table("system", "base model", "here", "prompt tokens", "training tokens", "time", "estimated")
    for one in estimates:
        took = "?" if one.seconds is None else "-" if one.seconds == 0 else _duration(one.seconds)
        here = "yes" if one.is_here else "will be pulled"
        train = f"~{one.train_tokens:,}" if one.train_tokens else ""
        table.add_row(one.name, one.base_model, here, f"~{one.prompt_tokens:,}", train, took, one.basis)
    console().print(table)
    if all(one.seconds is not None for one in estimates):
        typer.echo(f"in all {_duration(sum(one.seconds or 0.0 for one in estimates))}")


def _duration(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"
