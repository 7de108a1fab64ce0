"""`harness gate`."""

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli.options import DEFAULT_HOME, By, Debug, Experiment, Home, Json, Set, user_name

if TYPE_CHECKING:
    from rich.console import Console

    from harness.records.verdicts import GateResult, Outcome, Verdict

Format = Literal["text", "md", "junit", "github", "json"]
EXIT_CODES: "dict[Outcome, int]" = {"pass": 0, "fail": 3, "inconclusive": 4}
_SUFFIXES: "dict[str, Format]" = {".md": "md", ".xml": "junit", ".json": "json"}
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"  # the file that a GitHub runner shows on the page of the workflow's run
_STYLES: "dict[Outcome, str]" = {"pass": "green", "fail": "red", "inconclusive": "yellow"}


def gate(
    experiment: Experiment,
    candidate: Annotated[str, typer.Option("--candidate", metavar="SYSTEM", help="system or run id to judge")],
    policy: Annotated[
        str | None, typer.Option("--policy", help="a policy's name or file, in place of the experiment's")
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option("--run", metavar="NAME=RUN", help="the run that a baseline stands for (repeatable)"),
    ] = None,
    written: Annotated[Format, typer.Option("--format", help="github: annotations, and the step's summary")] = "text",
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out", metavar="FILE", help="write it here too: .md, .xml (JUnit), .json, or --format (repeatable)"
        ),
    ] = None,
    by: By = None,
    set_: Set = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Apply a policy to a candidate's stored evidence, and record the verdict.

    Where the golden set has sealed items, golden metrics are judged on these alone, and the verdict is recorded as a
    look at them; `harness run --sealed` has them answered before.

    Exit codes: 0 pass, 3 fail, 4 inconclusive, 1 error, 2 usage.

    Examples:

      harness gate icd10_coding --candidate lora

      harness gate icd10_coding --candidate lora --policy promote --out gates.xml --out verdict.md

      harness gate icd10_coding --candidate lora --run rag=20261121-0712 --json
    """
    from harness.config.policy import load_policy
    from harness.pipeline.gate import GateRequest
    from harness.pipeline.gate import gate as apply_policy
    from harness.pipeline.prepare import prepare

    request = GateRequest(
        candidate=candidate,
        policy=load_policy(policy, beside=Path.cwd()) if policy else None,
        pinned=_pins(run or ()),
        by=by or user_name(),
    )
    verdict = apply_policy(prepare(experiment, tuple(set_ or ())), home, request)
    for file in out or ():
        _write(file, _render(verdict, _SUFFIXES.get(file.suffix.lower(), written)))
    shown: Format = "json" if json else "text" if out and written != "github" else written
    if shown == "text":
        _print(verdict)
    else:
        typer.echo(_render(verdict, shown), nl=False)
    if written == "github":
        _summarise(verdict)
    raise typer.Exit(EXIT_CODES[verdict.outcome])


def _pins(given: Sequence[str]) -> dict[str, str]:
    pins: dict[str, str] = {}
    for pin in given:
        name, equals, run_id = pin.partition("=")
        if not (name and equals and run_id):
            raise typer.BadParameter(f'--run "{pin}": expected NAME=RUN, such as --run rag=20261121-0712')
        pins[name] = run_id
    return pins


def _render(verdict: "Verdict", written: Format) -> str:
    match written:
        case "text" | "md":
            from harness.report.markdown import render_verdict

            return render_verdict(verdict)
        case "junit":
            from harness.report.junit import render_junit

            return render_junit(verdict) + "\n"
        case "github":
            from harness.report.github import render_annotations

            return render_annotations(verdict)
        case "json":
            import json

            as_json = {**asdict(verdict), "decided_at": verdict.decided_at.isoformat()}
            return json.dumps(as_json, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write(out: Path, text: str) -> None:
    from harness.errors import HarnessError

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise HarnessError(f"{out}: cannot be written ({problem.strerror}). Name another file with --out.") from None


def _summarise(verdict: "Verdict") -> None:
    from harness.report.markdown import render_verdict

    if place := os.environ.get(STEP_SUMMARY):
        with Path(place).open("a", encoding="utf-8") as stream:
            stream.write(render_verdict(verdict))


def _print(verdict: "Verdict") -> None:
    from harness.cli.output import console

    out = console()
    out.print(f"{verdict.candidate} of {verdict.experiment}, by policy {verdict.policy_name}", markup=False)
    for gate_result in verdict.gates:
        _print_gate(gate_result, out)
    for note in verdict.notes:
        out.print(f"note: {note}", markup=False)
    counts = {outcome: sum(one.outcome == outcome for one in verdict.gates) for outcome in EXIT_CODES}
    counted = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    out.print(
        f"verdict: {verdict.outcome.upper()} ({counted}), run {verdict.run_id}, verdict {verdict.verdict_id}",
        style=f"bold {_STYLES[verdict.outcome]}",
        markup=False,
    )


def _print_gate(result: "GateResult", out: "Console") -> None:
    from rich.padding import Padding
    from rich.text import Text

    from harness.report.markdown import shown_findings, shown_remedies

    head = Text.assemble((f"{result.outcome.upper():13}", f"bold {_STYLES[result.outcome]}"), result.name)
    metric = str(result.gate.get("metric"))
    if metric not in result.name:
        head.append(f"  {metric}", style="dim")
    out.print(head)
    shown, rest = shown_findings(result)
    for finding in shown:
        mark = f"{finding.outcome}: " if finding.outcome != result.outcome else ""
        out.print(Padding(Text(f"{mark}{finding.words}"), (0, 0, 0, 4)))
    if rest:
        out.print(Padding(Text(rest), (0, 0, 0, 4)))
    for remedy in shown_remedies(result):
        out.print(Padding(Text(f"-> {remedy}", style="italic"), (0, 0, 0, 4)))
