"""An evidence report as one self-contained page: no script, no network, pictures inside."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from harness.records.estimates import Comparison
from harness.records.verdicts import GateResult
from harness.report.content import EvidenceReport, SystemSection
from harness.report.figures import IntervalRow, curve_figure, interval_figure
from harness.report.numbers import difference_text, interval_text, p_value_text, value_text

# What GitHub links without being asked: addresses, mentions, numbers of issues. A zero-width space keeps them text.
_AUTOLINKED = re.compile(r"(?<=@)(?=\w)|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=#)(?=\w)")
CURVES = {"train_loss": "training", "validation_loss": "validation"}


def render_html(report: EvidenceReport) -> str:
    """The page, as one HTML document. Everything that a model or a person wrote is shown as text.

    Raises:
        HarnessError: The packages for pictures are not installed.
    """
    figures = {
        "systems": _system_figures(report),
        "comparisons": _comparison_figures(report.comparisons),
        "gates": _gate_figures(report.verdict.gates) if report.verdict else {},
        "curves": _curve_figures(report.systems),
    }
    return _environment().get_template("evidence.html.j2").render(report=report, figures=figures)


def render_markdown(report: EvidenceReport) -> str:
    """The same without pictures, for a pull request or a wiki."""
    return _environment().get_template("evidence.md.j2").render(report=report)


def _system_figures(report: EvidenceReport) -> dict[str, str]:
    """A picture for each metric that several systems have."""
    figures: dict[str, str] = {}
    for name, metric in report.metrics.items():
        rows = [
            IntervalRow(
                label=system.name,
                value=estimate.value,
                low=estimate.low,
                high=estimate.high,
                stands_out=system.name == report.candidate,
            )
            for system in report.systems
            if (estimate := system.estimates.get(name))
        ]
        if len(rows) > 1:
            figures[name] = interval_figure(rows, axis=name, percent=metric.kind == "binary")
    return figures


def _comparison_figures(comparisons: Sequence[Comparison]) -> dict[str, str]:
    """A picture for each baseline: pass/fail metrics, whose differences share a unit."""
    figures: dict[str, str] = {}
    for baseline in dict.fromkeys(comparison.baseline for comparison in comparisons):
        rows = [
            IntervalRow(
                label=one.metric,
                value=one.difference,
                low=one.ci_low,
                high=one.ci_high,
                stands_out=one.ci_high is not None and one.ci_high < 0,
            )
            for one in comparisons
            if one.baseline == baseline and one.kind == "binary"
        ]
        if rows:
            candidate = comparisons[0].candidate
            axis = f"{candidate} - {baseline} in points; right of zero is better for {candidate}"
            figures[baseline] = interval_figure(rows, axis=axis, percent=True, zero=True)
    return figures


def _gate_figures(gates: Sequence[GateResult]) -> dict[str, str]:
    """A picture for each gate that holds an interval to a limit: the red mark is the limit."""
    figures: dict[str, str] = {}
    for gate in gates:
        rows = [
            IntervalRow(
                label=finding.subject,
                value=finding.value,
                low=finding.low,
                high=finding.high,
                limit=finding.limit,
                stands_out=finding.outcome == "fail",
            )
            for finding in gate.findings
            if finding.value is not None and finding.limit is not None and finding.low is not None
        ]
        if rows:
            figures[gate.name] = interval_figure(rows, axis=f"{gate.name}; the red mark is the limit", percent=False)
    return figures


def _curve_figures(systems: Sequence[SystemSection]) -> dict[str, str]:
    figures: dict[str, str] = {}
    for system in systems:
        lines = {
            shown: [(float(point.step), point.value) for point in system.training if point.name == name]
            for name, shown in CURVES.items()
        }
        if any(lines.values()):
            title = "loss (nats an answer token)"
            figures[system.name] = curve_figure(lines, x_title="optimizer step", y_title=title)
    return figures


@cache
def _environment() -> Environment:
    environment: Any = Environment(  # jinja2 leaves the types of filters and globals open
        loader=PackageLoader("harness.report"),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": value_text,
        "difference": difference_text,
        "p_value": p_value_text,
        "cell": markdown_cell,
    }
    environment.globals["interval"] = interval_text
    return environment


def markdown_cell(text: object) -> str:
    """Text for a Markdown table: on one line, and nothing in it is a link, an image or a tag."""
    flat = _AUTOLINKED.sub("\u200b", " ".join(str(text).split()))
    for mark in "\\`|*_[]<>!":
        flat = flat.replace(mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return flat
