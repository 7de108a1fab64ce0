"""`harness check`."""

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Experiment, Home, Json, Set

if TYPE_CHECKING:
    from harness.pipeline.check import SystemEstimate
    from harness.pipeline.prepare import Prepared


def check(
    experiment: Experiment,
    set_: Set = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check an experiment, its data and its models, and estimate the time; load no model.

    Examples:

      harness check suites/experiments/icd10_coding

      harness check icd10_coding --set systems.lora.finetune.epochs=5
    """
    from harness.pipeline.check import estimate_systems
    from harness.pipeline.prepare import prepare

    prepared = prepare(experiment, tuple(set_ or ()))
    estimates = estimate_systems(prepared, list(prepared.experiment.systems.values()), home)
    if json:
        from harness.cli.output import print_json

        print_json(_as_json(prepared, estimates))
    else:
        _print(prepared, estimates, experiment=str(experiment))


def _as_json(prepared: "Prepared", estimates: "list[SystemEstimate]") -> object:
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
        "systems": [asdict(estimate) for estimate in estimates],
    }


def _print(prepared: "Prepared", estimates: "list[SystemEstimate]", *, experiment: str) -> None:
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
    typer.echo(f"next: harness run {experiment}")


def _duration(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"
