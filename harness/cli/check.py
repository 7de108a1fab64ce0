"""`harness check`."""

import shlex
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, AllowOverlap, Debug, Experiment, Home, Json, Set, as_typed

if TYPE_CHECKING:
    from harness.pipeline.check import SystemEstimate
    from harness.pipeline.overlap import Guarded
    from harness.pipeline.prepare import Prepared
    from harness.records.overlaps import Allowance
    from harness.records.regression import TimeEstimate


def check(
    experiment: Experiment,
    set_: Set = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="load the base model and time a few items of the regression suite")
    ] = False,
    allow_overlap: AllowOverlap = None,
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
    from harness.pipeline.overlap import guard
    from harness.pipeline.policy_check import check_policy
    from harness.pipeline.power import power_sentence
    from harness.pipeline.prepare import prepare
    from harness.pipeline.wear import wear_in, wear_lines

    prepared = prepare(experiment, tuple(set_ or ()))
    systems = list(prepared.experiment.systems.values())
    check_policy(prepared)
    guarded = guard(prepared, systems, allowance=_allowance(allow_overlap))
    estimates = estimate_systems(prepared, systems, home)
    power = power_sentence(prepared.golden_set)
    measured = _measure(prepared) if measure else {}
    stale = stale_evidence(prepared.experiment.policy, home)
    wear = wear_in(home, prepared.golden_set, policy=prepared.experiment.policy)
    if json:
        from harness.cli.output import print_json

        suite = {task: asdict(estimate) for task, estimate in measured.items()}
        said = {"regression_items_guarded": guarded.regression_items, "power": power, "stale_evidence": stale}
        said |= {"overlaps": _pairs(guarded), "wear": wear and {**asdict(wear), "warning": wear.warning}}
        print_json({**_as_json(prepared, estimates), "regression_measured": suite, **said})
    else:
        _print(prepared, estimates)
        _print_overlaps(guarded)
        typer.echo(f"power: {power}")
        for line in wear_lines(wear):
            typer.echo(line)
        _print_suite(prepared, measured)
        if stale:
            typer.echo(f"warning: {stale}")
        allowed = f" --allow-overlap {shlex.quote(allow_overlap)}" if allow_overlap and guarded.pairs else ""
        typer.echo(f"next: harness run {experiment}{as_typed(set_)}{allowed}")


def _allowance(reason: str | None) -> "Allowance | None":
    """Nothing is recorded by a check, so that it does not matter who asks."""
    from harness.records.overlaps import Allowance

    return None if reason is None else Allowance(reason=reason, by="", at=datetime.now(UTC))


def _pairs(guarded: "Guarded") -> list[dict[str, object]]:
    found = {"golden": guarded.golden, "regression": guarded.regression}
    return [
        {"scored": scored, "training_set": path, **asdict(one)}
        for scored, by_set in found.items()
        for path, overlaps in by_set.items()
        for one in overlaps
    ]


def _print_overlaps(guarded: "Guarded") -> None:
    if guarded.regression_items and not guarded.regression:
        count = f"{guarded.regression_items:,}"
        typer.echo(f"overlap: no training record holds any of the {count} items of the regression tasks")
    for found in (guarded.golden, guarded.regression):
        for path, overlaps in found.items():
            for one in overlaps:
                typer.echo(f'overlap, allowed: {path}:{one.line}: item "{one.item_id}": {one.sentence}')


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
        and {
            "records": len(training_set.records),
            "format": training_set.format,
            "sha256": training_set.sha256,
            "origins": training_set.origins,
        },
        "stages": [{**one.stage.model_dump(mode="json"), "sha256": one.training_set.sha256} for one in prepared.stages],
        "corpus": {"passages": len(prepared.corpus)},
        "metrics": [scorer.metric.name for scorer in prepared.scorers],
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

    golden_set = prepared.golden_set
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(item.kind for item in golden_set.items).items())
    typer.echo(f"{prepared.experiment.name}: {prepared.experiment.question}")
    sealed = len(golden_set.part("sealed"))
    kinds += f"; {sealed} of them sealed" if sealed else ""
    typer.echo(f"  golden set   {golden_set.name} {golden_set.version}: {len(golden_set.items)} items ({kinds})")
    for training_set in prepared.training_sets:
        named = f" of {Path(training_set.path).name}" if len(prepared.stages) > 1 else ""
        learned = len({one.line for one in prepared.overlaps.get(training_set.path, ())})
        overlap = f"{learned} overlap the golden set, as allowed" if learned else "none overlaps the golden set"
        typer.echo(f"  training set {len(training_set.records)} records{named} ({training_set.format}); {overlap}")
        if training_set.origins:
            counted = ", ".join(f"{count} {origin}" for origin, count in training_set.origins.items())
            typer.echo(f"  origins      {counted}{named}")
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
    _print_stages(prepared, estimates)
    if all(one.seconds is not None for one in estimates):
        typer.echo(f"in all {_duration(sum(one.seconds or 0.0 for one in estimates))}")


def _print_stages(prepared: "Prepared", estimates: "list[SystemEstimate]") -> None:
    """A line for each stage of each training, where the experiment says more of stages than one path."""
    from harness.config.stage import is_one_path

    if is_one_path(prepared.experiment.stages):
        return
    for one in estimates:
        for number, stage in enumerate(one.stages, start=1):
            drawn = f"{stage.records} of {stage.set_records} records ({stage.validation_records} to validate on)"
            drawn += f" and {stage.replayed_records} replayed" if stage.replayed_records else ""
            if stage.withheld_records:
                drawn += f", {stage.withheld_records} left out (a later stage validates on their like)"
            took = "?" if stage.seconds is None else _duration(stage.seconds)
            epochs = f"{stage.epochs} epoch{'s' if stage.epochs != 1 else ''} at learning rate {stage.learning_rate:g}"
            typer.echo(
                f"{one.name}, stage {number}: {stage.path}, {drawn}, {epochs}, {stage.steps} steps, "
                f"~{stage.tokens:,} tokens, {took} at this machine's speed"
            )


def _duration(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"
