"""`harness compare`."""

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Experiment, Home, Json, Set

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.decision.flips import StratumFlips
    from harness.pipeline.decide import ComparisonReport
    from harness.records.estimates import Comparison

_ITEMS_COUNT_AS = re.compile(r" \([\d,]+ items count as [\d.,]+\)")  # each metric's own; --json has it


def compare(
    context: typer.Context,
    experiment: Experiment,
    candidate: Annotated[str, typer.Option("--candidate", metavar="SYSTEM", help="system or run id to judge")],
    against: Annotated[
        list[str], typer.Option("--against", metavar="SYSTEM...", help="systems or run ids to hold it against")
    ],
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="of the two-sided intervals")] = 0.95,
    set_: Set = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare a candidate with baselines, paired item by item, on every metric.

    Differences are candidate minus baseline, signed so that positive is better.

    Examples:

      harness compare icd10_coding --candidate lora --against zero_shot few_shot rag base

      harness compare icd10_coding --candidate 20261121-0712 --against lora --json
    """
    from harness.cli.output import print_json
    from harness.pipeline.decide import compare_systems
    from harness.pipeline.prepare import prepare

    prepared = prepare(experiment, tuple(set_ or ()))
    baselines = list(dict.fromkeys([*against, *context.args]))
    report = compare_systems(prepared, home, candidate=candidate, against=baselines, confidence=confidence)
    if json:
        print_json([_as_json(comparison, report) for comparison in report.comparisons])
    else:
        _print(report)


def _as_json(comparison: "Comparison", report: "ComparisonReport") -> object:
    return {
        **asdict(comparison),
        "candidate_run": report.runs[comparison.candidate].run.run_id,
        "baseline_run": report.runs[comparison.baseline].run.run_id,
        **({"flips": [asdict(one) for one in flips]} if (flips := _flips(report, comparison)) else {}),
    }


def _flips(report: "ComparisonReport", comparison: "Comparison") -> "list[StratumFlips]":
    """Strata of a regression metric in which an answer was lost or gained."""
    strata = report.flips.get((comparison.metric, comparison.baseline), [])
    return [one for one in strata if one.lost or one.gained]


def _print(report: "ComparisonReport") -> None:
    from harness.cli.output import console
    from harness.decision.flips import flip_sentence

    out = console()
    for baseline in dict.fromkeys(comparison.baseline for comparison in report.comparisons):
        rows = [comparison for comparison in report.comparisons if comparison.baseline == baseline]
        print_comparisons(rows, baseline)
        for row in rows:
            if strata := _flips(report, row):
                out.print(f"  {flip_sentence(row.metric, strata)}", markup=False)
    for sentence in _preferences(report):
        out.print(sentence, markup=False)
    for reason in report.set_apart:
        out.print(f"not compared: {reason}", markup=False)
    for test in dict.fromkeys(_ITEMS_COUNT_AS.sub("", row.test) for row in report.comparisons):
        out.print(f"test: {test}", markup=False)


def _preferences(report: "ComparisonReport") -> "Iterator[str]":
    """Shares of choices, and the strengths that follow from them where there are three systems or more."""
    from harness.decision.preference import PREFERENCE, win_rate_of

    for row in report.comparisons:
        if row.metric == PREFERENCE:
            rate = win_rate_of(row)
            bounds = ", no interval,"
            if rate.low is not None and rate.high is not None:
                bounds = f" ({100 * rate.low:.1f} to {100 * rate.high:.1f})"
            share = f"{100 * rate.value:.1f} %{bounds} of {row.n} items"
            yield f"experts chose {row.candidate} over {row.baseline} in {share}, a tie counting half"
    if ranking := report.strengths:
        said = [f"{one.name} {one.strength:+.2f} ({one.low:+.2f} to {one.high:+.2f})" for one in ranking.strengths]
        added = "; half a win each way was added, as one never lost" if ranking.regularised else ""
        yield f"strengths (Bradley-Terry, log-odds around their mean): {', '.join(said)}{added}"


def print_comparisons(rows: "Sequence[Comparison]", baseline: str) -> None:
    """A table of one candidate's differences from one baseline, and what must be said with them."""
    from rich.table import Table

    from harness.cli.output import console

    out = console()
    first = rows[0]
    table = Table(
        "metric",
        first.candidate,
        baseline,
        f"difference ({first.confidence:.0%} interval)",
        "p",
        "better/worse/same",
        "n",
        title=f"{first.candidate} - {baseline}: positive is better for {first.candidate}",
        title_justify="left",
    )
    for row in rows:
        table.add_row(*_cells(row), style=_style(row))
        if row.without:
            learned = f"{row.overlapping} item{'s' if row.overlapping != 1 else ''}"
            table.add_row(*_cells(row.without, f"  without {learned} also learned"), style=_style(row.without))
    out.print(table)
    for warning in dict.fromkeys(warning for row in rows for warning in row.warnings):
        out.print(f"  note: {warning}", markup=False)


def _cells(row: "Comparison", name: str | None = None) -> list[str]:
    interval = (
        "no interval" if row.ci_low is None or row.ci_high is None else f"({row.ci_low:+.3f} to {row.ci_high:+.3f})"
    )
    return [
        name or row.metric,
        f"{row.candidate_value:.3f}",
        f"{row.baseline_value:.3f}",
        f"{row.difference:+.3f} {interval}",
        "" if row.p_value is None else f"{row.p_value:.3f}" if row.p_value >= 0.001 else "<0.001",
        f"{row.better}/{row.worse}/{row.same}",
        str(row.n),
    ]


def _style(row: "Comparison") -> str:
    """Green where the interval lies above zero, red where it lies below; the sign says the same without colour."""
    if row.ci_low is not None and row.ci_low > 0:
        return "green"
    return "red" if row.ci_high is not None and row.ci_high < 0 else ""
