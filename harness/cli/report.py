"""`harness report`."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Experiment, Home, Json, Set
from harness.report.content import ReportFormat


def report(
    experiment: Experiment,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="where to write it")],
    candidate: Annotated[
        str | None,
        typer.Option("--candidate", metavar="SYSTEM", help="system or run id; default: the last with weights"),
    ] = None,
    written: Annotated[
        ReportFormat | None, typer.Option("--format", help="default: by the name of the file, else html")
    ] = None,
    set_: Set = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the evidence on a candidate as one self-contained page, or for other tools.

    html and md have comparisons, verdict, limits and provenance; junit has the verdict's gates; csv and parquet have
    one row for each item's score.

    Examples:

      harness report icd10_coding --out evidence.html

      harness report icd10_coding --candidate lora --out scores.parquet
    """
    from harness.cli.output import print_json
    from harness.pipeline.prepare import prepare
    from harness.pipeline.report import write_report

    prepared = prepare(experiment, tuple(set_ or ()))
    file = write_report(prepared, home, out, written or _format_of(out), candidate=candidate)
    if json:
        print_json({"file": str(file), "bytes": file.stat().st_size})
    else:
        typer.echo(f"report: {file} ({file.stat().st_size / 1024:,.0f} kB)")


def _format_of(out: Path) -> ReportFormat:
    match out.suffix.lower():
        case ".md" | ".markdown":
            return "md"
        case ".xml":
            return "junit"
        case ".csv":
            return "csv"
        case ".parquet":
            return "parquet"
        case ".html" | ".htm" | "":
            return "html"
        case other:
            raise typer.BadParameter(
                f'--out "{out}": "{other}" names no format. Use .html, .md, .xml (JUnit), .csv or .parquet, or say '
                "--format."
            )
