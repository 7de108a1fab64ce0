"""`harness runs` and `harness show`."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Home, Json

if TYPE_CHECKING:
    from harness.pipeline.show import RunDetails
    from harness.records.runs import RunState

STOPPED = "stopped (its process is gone)"
PAIRS_SHOWN = 5


def list_runs(
    experiment: Annotated[str | None, typer.Option(help="only runs of this experiment (its name)")] = None,
    system: Annotated[str | None, typer.Option(help="only runs of this system")] = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List runs, newest first, failed and interrupted ones too.

    Example: harness runs --experiment icd10-coding
    """
    from harness.store.claims import is_stopped
    from harness.store.migrate import open_ledger
    from harness.store.runs import runs

    states = runs(open_ledger(home, create=False), experiment=experiment, system=system)
    if json:
        from harness.cli.output import print_json

        print_json([_state_as_json(state) for state in states])
        return
    from rich.table import Table

    from harness.cli.output import console

    table = Table("run", "experiment", "system", "status", "started (UTC)", "wall time", "reason")
    for state in states:
        wall_s = state.facts.get("wall_s")
        table.add_row(
            state.run.run_id,
            state.run.experiment,
            state.run.system,
            STOPPED if is_stopped(home, state) else state.status,
            f"{state.run.started_at:%Y-%m-%d %H:%M}",
            f"{wall_s:.0f} s" if isinstance(wall_s, float) else "",
            (state.reason or "").splitlines()[0] if state.reason else "",
        )
    console().print(table)


def show(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="a run id, or its beginning")],
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show one run: configuration, provenance, training curve, probes and estimates.

    Example: harness show 20261121-0712
    """
    from harness.pipeline.show import run_details

    details = run_details(home, run_id)
    if json:
        from harness.cli.output import print_json

        print_json(_details_as_json(details))
    else:
        from harness.store.claims import is_stopped

        _print_details(details, stopped=is_stopped(home, details.state))


def _state_as_json(state: "RunState") -> dict[str, object]:
    run = {key: _plain(value) for key, value in asdict(state.run).items()}
    return {
        **run,
        "status": state.status,
        "reason": state.reason,
        "ended_at": _plain(state.ended_at),
        "facts": dict(state.facts),
    }


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _details_as_json(details: "RunDetails") -> dict[str, object]:
    return {
        **_state_as_json(details.state),
        "estimates": {name: asdict(estimate) for name, estimate in details.estimates.items()},
        "notes": list(details.notes),
        "probes": [{"probe": s.scorer, "passed": s.value == 1.0, "detail": s.detail} for s in details.probes],
        "training": [{**asdict(point), "at": point.at.isoformat()} for point in details.training],
        "artifacts": [asdict(artifact) for artifact in details.artifacts],
        "registry": list(details.registry),
        "overlaps": [
            {**asdict(one), "allowance": {**asdict(one.allowance), "at": one.allowance.at.isoformat()}}
            for one in details.overlaps
        ],
        "sealed": details.sealed
        and {"status": details.sealed.status, "at": details.sealed.at.isoformat(), "by": details.sealed.by},
        "failed_items": [{"item_id": g.item_id, "error": g.error} for g in details.failed],
    }


def _print_details(details: "RunDetails", *, stopped: bool) -> None:
    from rich.table import Table

    from harness.cli.output import console

    out = console()
    run, state = details.state.run, details.state
    facts = Table(show_header=False, box=None, title=f"Run {run.run_id}", title_justify="left")
    provenance = run.provenance
    described = {
        "experiment": f"{run.experiment} ({run.experiment_id})",
        "system": run.system,
        "status": (STOPPED if stopped else state.status) + (f": {state.reason}" if state.reason else ""),
        "golden set": f"{run.golden_set} {run.golden_version} ({run.golden_sha256[:12]})",
        "base model": provenance.get("base_model"),
        "training sets": provenance.get("training_sets"),
        "git": provenance.get("git"),
        "packages": provenance.get("packages"),
        "machine": f"{provenance.get('processor')}, {provenance.get('cores')} cores, {provenance.get('platform')}",
        "configuration": dict(run.system_config),
        **{name: fact for name, fact in state.facts.items() if name != "stages"},
    }
    for key, value in described.items():
        facts.add_row(key, _readable(value))
    out.print(facts, markup=False)
    for probe in details.probes:
        out.print(
            f"probe {probe.scorer}: {'passed' if probe.value == 1.0 else 'FAILED'} ({probe.detail})", markup=False
        )
    _print_training(details)
    table = Table("metric", "value", "interval", "n", "method")
    for name, estimate in details.estimates.items():
        interval = "" if estimate.low is None or estimate.high is None else f"{estimate.low:.3f} to {estimate.high:.3f}"
        table.add_row(name, f"{estimate.value:.3f}", interval, str(estimate.n), estimate.method)
    out.print(table)
    for note in details.notes:
        out.print(f"note: {note}", markup=False)
    for sentence in _overlap_sentences(details):
        out.print(f"overlap: {sentence}", markup=False)
    if stage := details.sealed:
        why = f" ({stage.reason})" if stage.reason else ""
        out.print(f"sealed items: {stage.status}{why} at {stage.at:%Y-%m-%d %H:%M} UTC, asked for by {stage.by}")
    for sentence in details.registry:
        out.print(f"registry: {sentence}", markup=False)
    for generation in details.failed:
        out.print(f"not answered: {generation.item_id}: {generation.error}", markup=False)


def _print_training(details: "RunDetails") -> None:
    from harness.cli.output import console
    from harness.pipeline.stage_facts import span_of, stage_spans

    spans = stage_spans(details.state.facts)
    for point in details.training:
        if point.name == "validation_loss":
            span = span_of(point, spans)
            epoch = f"stage {span.number}, epoch {span.own_epoch(point):g}" if span else f"epoch {point.epoch:g}"
            console().print(f"{epoch}: validation loss {point.value:.4f} nats an answer token", markup=False)
    for span in spans:
        if span.facts:
            console().print(span.sentence, markup=False)


def _overlap_sentences(details: "RunDetails") -> list[str]:
    """Who let the run learn what it is scored on, and why; then the first pairs."""
    said: list[str] = []
    for allowance in dict.fromkeys(one.allowance for one in details.overlaps):
        pairs = [one for one in details.overlaps if one.allowance == allowance]
        shown = ", ".join(
            f"line {one.line} and {one.item_id} ({one.kind.replace('_', ' ')}, {one.share:.0%})"
            for one in pairs[:PAIRS_SHOWN]
        )
        more = f" and {len(pairs) - PAIRS_SHOWN} more (v_overlaps has all)" if len(pairs) > PAIRS_SHOWN else ""
        when = f"{allowance.at:%Y-%m-%d %H:%M} UTC"
        said.append(f"{allowance.by} allowed it at {when}: {allowance.reason}. Learned: {shown}{more}")
    return said


def _readable(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_readable(inner)}" for key, inner in value.items() if inner is not None)
    if isinstance(value, list):
        return "; ".join(_readable(one) for one in value)
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
