"""`harness data audit`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import Debug, Json

if TYPE_CHECKING:
    from harness.data.audit_finding import AuditReport, Finding

THRESHOLD_BROKEN = 3
_STYLES = {"problem": "red", "warning": "yellow", "hint": "dim"}


def audit(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="a training set: a file, a folder, or a Hugging Face id")
    ],
    golden: Annotated[
        str | None, typer.Option("--golden", metavar="SET", help="golden set to hold it against: a folder or a name")
    ] = None,
    experiment: Annotated[
        Path | None,
        typer.Option("--experiment", metavar="EXPERIMENT", help="count tokens with its base model and prompt"),
    ] = None,
    base_model: Annotated[
        str | None, typer.Option("--base-model", metavar="MODEL", help="count tokens with this base model instead")
    ] = None,
    thresholds: Annotated[
        str, typer.Option("--thresholds", metavar="NAME|FILE", help="what is allowed: a shipped name, or a .yaml file")
    ] = "default",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="write a self-contained HTML page here")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Look a training set over before training on it: every finding with its lines.

    Looks for lines and fields that cannot be read, duplicates, contradictions, overlap with a golden set, imbalance,
    records that would be cut, damaged characters, mixed languages, personal data, secrets and stray answer formats.

    Exit codes: 0 nothing above the thresholds, 3 a threshold is broken, 1 error, 2 usage.

    Examples:

      harness data audit train.jsonl --golden icd10_coding

      harness data audit train.jsonl --experiment icd10_coding --out audit.html

      harness data audit train.jsonl --thresholds strict.yaml --json
    """
    from harness.cli.output import TerminalProgress, print_json
    from harness.config.audit import load_thresholds
    from harness.pipeline.audit import AuditRequest, audit_file

    request = AuditRequest(
        file=file,
        golden=golden,
        experiment=experiment,
        base_model=base_model,
        thresholds=load_thresholds(thresholds, beside=Path.cwd()),
    )
    report = audit_file(request, TerminalProgress().say)
    if out is not None:
        _write_page(report, out)
    if json:
        print_json(asdict(report))
    else:
        _print(report)
        if out is not None:
            typer.echo(f"page: {out}")
    if report.fails:
        raise typer.Exit(THRESHOLD_BROKEN)


def _write_page(report: "AuditReport", out: Path) -> None:
    from harness import __version__
    from harness.errors import HarnessError
    from harness.report.audit_page import render_audit

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(render_audit(report, version=__version__), encoding="utf-8")
    except OSError as problem:
        raise HarnessError(f"{out}: cannot be written ({problem.strerror}). Name another file with --out.") from None


def _print(report: "AuditReport") -> None:
    from rich.table import Table
    from rich.text import Text

    from harness.cli.output import console

    out = console()
    facts = Table.grid(padding=(0, 2))
    for what, value in (("records", f"{report.records:,}"), *report.facts):
        facts.add_row(Text(what, style="dim"), Text(value))
    out.print(report.path, markup=False)
    out.print(facts)
    if report.findings:
        table = Table("severity", "check", "what")
        for finding in report.findings:
            style = _STYLES[finding.severity]
            table.add_row(Text(finding.severity, style=style), finding.check.replace("_", " "), Text(_words(finding)))
        out.print(table)
    for note in report.notes:
        out.print(f"note: {note}", markup=False)
    counts = {severity: sum(one.severity == severity for one in report.findings) for severity in _STYLES}
    counted = ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for word, n in counts.items() if n) or "nothing found"
    verdict = "NOT READY" if report.fails else "READY"
    style = "bold red" if report.fails else "bold green"
    out.print(f"verdict: {verdict} ({counted}), by thresholds {report.thresholds}", style=style, markup=False)


def _words(finding: "Finding") -> str:
    lines = [finding.sentence, *(f"- {example}" for example in finding.examples)]
    if finding.lines:
        more = f" and {finding.lines_left_out:,} more" if finding.lines_left_out else ""
        lines.append(f"lines {', '.join(map(str, finding.lines))}{more}")
    return "\n".join(lines)
