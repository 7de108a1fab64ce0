"""`harness data`: training sets, before anything learns from them."""

import math
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import data_audit, data_augment
from harness.cli.options import Debug, Json

if TYPE_CHECKING:
    from harness.pipeline.data_files import Conversion

app = typer.Typer(help="Training sets: audit, convert, split and augment them.", no_args_is_help=True)
app.command("audit")(data_audit.audit)
app.command("augment")(data_augment.augment)

Source = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="JSONL, JSON, CSV or Parquet, a folder, or a Hugging Face id in the local cache"
    ),
]


@app.command("convert")
def convert(
    file: Source,
    out: Annotated[Path, typer.Option("--out", help="the JSONL file to write")],
    force: Annotated[bool, typer.Option("--force", help="overwrite a file that is there")] = False,
    encoding: Annotated[str | None, typer.Option("--encoding", help="of a CSV file that is not UTF-8: cp1252")] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write a training set of any format as JSONL in the chat form (messages).

    Example: harness data convert records.parquet --out train.jsonl
    """
    from harness.pipeline.data_files import convert as convert_file

    done = convert_file(file, out, force=force, encoding=encoding)
    if json:
        from harness.cli.output import print_json

        print_json(_as_json(done))
        return
    typer.echo(f"{done.out}: {done.records} chat records, from {done.format} in {done.container}")
    if done.left_out:
        typer.echo(f"note: {done.left_out} rejected answers are left out; the chat form has no field for them")


def _as_json(done: "Conversion") -> dict[str, object]:
    return {
        "out": str(done.out),
        "sha256": done.sha256,
        "source_sha256": done.source_sha256,
        "container": done.container,
        "format": done.format,
        "records": done.records,
        "rejected_left_out": done.left_out,
    }


def _share(said: float) -> Fraction:
    """The proportion as it was typed: 0.1 is a tenth, and not the nearest binary number."""
    if not math.isfinite(said):
        raise typer.BadParameter(f"{said} is not a share; write a proportion from 0 to below 1.")
    return Fraction(str(said))


@app.command("split")
def split(
    file: Source,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="the folder to write, not there yet or empty")],
    test: Annotated[float, typer.Option("--test", help="share to test on; 0 for none")] = 0.2,
    validation: Annotated[float, typer.Option("--validation", help="share to validate on; 0 for none")] = 0.1,
    seed: Annotated[int, typer.Option("--seed", help="another seed, another split")] = 17,
    by: Annotated[
        str | None, typer.Option("--by", help="a field whose values stay together; group always does")
    ] = None,
    stratify: Annotated[str | None, typer.Option("--stratify", help="a field to hold in proportion: label")] = None,
    golden: Annotated[
        str | None, typer.Option("--golden", metavar="NAME", help="make the test fold the golden set NAME")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Split a training set into train, validation and test; no group and no question straddles.

    Example: harness data split train.csv --out folds --stratify label --golden triage
    """
    from harness.pipeline.data_files import SplitWishes
    from harness.pipeline.data_files import split as split_file

    wishes = SplitWishes(
        test=_share(test),
        validation=_share(validation),
        seed=seed,
        by=by,
        stratify=stratify,
        golden=golden,
    )
    done = split_file(file, out, wishes)
    if json:
        from harness.cli.output import print_json

        print_json(asdict(done))
        return
    typer.echo(f"{out}/ (split.json says how)")
    for name, fold in done.folds.items():
        balance = ", ".join(f"{value} {count}" for value, count in (fold.balance or {}).items())
        typer.echo(f"  {name:<10} {fold.records:>6} records  {fold.file}{'  ' + balance if balance else ''}")
    if golden:
        typer.echo(f"next: fill in {out}/golden_sets/{golden}/card.md, and the licence and authors in manifest.yaml")
