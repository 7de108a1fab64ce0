"""`harness data augment`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Home, Json, Set

if TYPE_CHECKING:
    from harness.pipeline.augment import Augmentation


def augment(
    file: Annotated[
        Path, typer.Argument(metavar="TRAIN", help="a training set: a file, a folder, or a Hugging Face id")
    ],
    plan: Annotated[Path, typer.Option("--plan", metavar="FILE", help="augment.yaml: the steps")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="the JSONL file to write")],
    experiment: Annotated[
        Path | None,
        typer.Option("--experiment", metavar="EXPERIMENT", help="whose systems are asked, and whose golden set counts"),
    ] = None,
    system: Annotated[
        str | None, typer.Option("--system", metavar="SYSTEM", help="the system that is asked, where a step names none")
    ] = None,
    set_: Set = None,
    golden: Annotated[
        str | None, typer.Option("--golden", metavar="SET", help="a golden set to keep clear of: a folder or a name")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="in place of the plan's")] = None,
    rejected: Annotated[
        Path | None, typer.Option("--rejected", metavar="FILE", help="write what was dropped here, with the reasons")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="overwrite files that are there")] = False,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make training records out of others, by the steps of a plan; each is marked with its origin and its parents.

    Steps: template, paraphrase, back_translation, negative, refusal. What a model writes is checked; what the set or a
    golden set holds already, or nearly, is dropped and counted. A model's answers are kept in OUT.journal: the same
    command goes on where it was stopped, and asks nothing twice.

    Examples:

      harness data augment train.jsonl --plan augment.yaml --out train.augmented.jsonl

      harness data augment train.jsonl --plan augment.yaml --out more.jsonl --experiment icd10_coding --system zero_shot
    """
    from harness.cli.output import TerminalProgress, print_json
    from harness.pipeline.augment import AugmentRequest, augment_file

    request = AugmentRequest(
        file=file,
        plan=plan,
        out=out,
        home=home,
        rejected=rejected,
        experiment=experiment,
        overrides=tuple(set_ or ()),
        system=system,
        golden=golden,
        seed=seed,
        force=force,
    )
    try:
        done = augment_file(request, TerminalProgress())
    except KeyboardInterrupt:
        typer.echo(stopped_words(out), err=True)
        raise typer.Exit(130) from None
    if json:
        print_json(asdict(done))
    else:
        _print(done, rejected)


def stopped_words(out: Path) -> str:
    """What is left of an interrupted command, and that the same one goes on."""
    journal = out.with_name(f"{out.name}.journal")
    kept = f"What was answered is kept in {journal}" if journal.exists() else "Nothing was answered yet"
    return f"stopped. {kept}: the same command goes on."


def _print(done: "Augmentation", rejected: Path | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from harness.cli.output import console
    from harness.data.augment_made import SAID

    table = Table("step", "origin", "made", "kept", "dropped")
    for one in done.steps:
        reasons = "\n".join(f"{count:>4}  {SAID[reason]}" for reason, count in one.dropped.items())
        table.add_row(one.step, one.origin, str(one.made), str(one.kept), Text(reasons))
    if len(done.steps) > 1:
        made, kept = (sum(getattr(one, what) for one in done.steps) for what in ("made", "kept"))
        table.add_section()
        table.add_row("in all", "", str(made), str(kept), str(made - kept))
    console().print(table)
    held = f"held against golden sets: {', '.join(done.golden_sets)}" if done.golden_sets else "no golden set was found"
    typer.echo(f"plan {done.plan}, seed {done.seed}; {held}")
    source = f"{done.source_records} as they were, " if done.source_records else "without those of the source, "
    typer.echo(f"{done.out}: {done.records} records ({done.format}): {source}{done.new_records} new, each marked")
    if rejected is not None:
        typer.echo(f"{rejected}: what was dropped, with the reasons")
    if done.journal is not None:
        typer.echo(f"{done.journal}: what models answered; delete it to ask again")
        typer.echo("note: checks of spelling cannot tell whether a text means the same: read a sample of what was kept")
    typer.echo(f"next: harness data audit {done.out}")
