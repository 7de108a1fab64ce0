"""How the registry's commands print."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.pipeline.aliases import Pointed
    from harness.pipeline.verify import ChainReport, VerdictReport
    from harness.records.registry import RegistryEvent


def print_pointed(pointed: "Pointed", *, json: bool) -> None:
    """Prints what an alias points at now; notes go to standard error."""
    grounds = pointed.grounds
    if json:
        from harness.cli.output import print_json

        print_json(_pointed_as_json(pointed))
        return
    promotion = grounds.promotion
    back = " again" if promotion.rollback else ""
    typer.echo(f"{promotion.alias} points{back} at run {promotion.run_id} ({grounds.state.run.system})")
    typer.echo(f"  verdict {grounds.verdict.verdict_id}: {grounds.verdict.outcome}")
    typer.echo(f"  {pointed.file}")
    typer.echo(f"  head of the chain {grounds.event.hash} (keep it elsewhere: `harness verify --head` asks for it)")
    for note in pointed.notes:
        typer.echo(f"note: {note}", err=True)


def _pointed_as_json(pointed: "Pointed") -> dict[str, object]:
    from harness.pipeline.promotion_file import promotion_content

    return {**promotion_content(pointed.grounds), "file": str(pointed.file), "notes": list(pointed.notes)}


def print_aliases(listed: "list[Pointed]", *, json: bool) -> None:
    """Prints a row an alias, with notes below."""
    if json:
        from harness.cli.output import print_json

        print_json([_pointed_as_json(one) for one in listed])
        return
    if not listed:
        typer.echo("nothing was promoted yet: `harness promote ALIAS RUN --verdict ID`")
        return
    headings = ("alias", "run", "system", "verdict", "outcome", "waived gates", "since (UTC)", "by")
    _print_table(headings, [_alias_cells(one) for one in listed])
    for note in dict.fromkeys(note for one in listed for note in one.notes):
        typer.echo(f"note: {note}")


def print_history(listed: "list[RegistryEvent]", *, json: bool) -> None:
    """Prints a row an event; the JSON has each whole."""
    import json as json_text

    payloads = [json_text.loads(event.payload) for event in listed]
    if json:
        from harness.cli.output import print_json

        print_json([_event_as_json(event, payload) for event, payload in zip(listed, payloads, strict=True)])
        return
    headings = ("event", "at (UTC)", "kind", "alias", "run", "what", "by", "hash")
    _print_table(headings, [_event_cells(event, payload) for event, payload in zip(listed, payloads, strict=True)])


def print_proof(chain: "ChainReport", derived: "VerdictReport | None", *, json: bool) -> None:
    """Prints what became of checking the registry, and of deriving a verdict again; and what that does not prove."""
    from harness.pipeline.verify import LIMITS

    if json:
        _print_proof_as_json(chain, derived)
        return
    if chain.problems:
        typer.echo(f"registry: {_counted(len(chain.problems), 'problem')} in {_counted(chain.events, 'event')}")
    else:
        typer.echo(f"registry: {_counted(chain.events, 'event')}, every hash, link, signature and promotion.json holds")
    for problem in chain.problems:
        typer.echo(f"  {problem}")
    for note in (*chain.notes, *(derived.notes if derived else ())):
        typer.echo(f"note: {note}")
    typer.echo(f"head: {chain.head}")
    if derived and derived.differences:
        found = _counted(len(derived.differences), "difference")
        typer.echo(f"verdict {derived.verdict.verdict_id}: {found} when derived again")
        for difference in derived.differences:
            typer.echo(f"  {difference}")
    elif derived:
        outcome = derived.verdict.outcome
        typer.echo(f"verdict {derived.verdict.verdict_id}: {outcome}; derived again, equal to the last digit")
    typer.echo(LIMITS)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _print_proof_as_json(chain: "ChainReport", derived: "VerdictReport | None") -> None:
    from dataclasses import asdict

    from harness.cli.output import print_json
    from harness.pipeline.verify import LIMITS

    of_verdict = derived and {
        "verdict_id": derived.verdict.verdict_id,
        "outcome": derived.verdict.outcome,
        "differences": list(derived.differences),
        "notes": list(derived.notes),
    }
    print_json({"registry": asdict(chain), "verdict": of_verdict, "limits": LIMITS})


def _print_table(headings: "Sequence[str]", rows: "Sequence[Sequence[str]]") -> None:
    from rich.markup import escape
    from rich.table import Table

    from harness.cli.output import console

    table = Table(*headings)
    for row in rows:
        table.add_row(*map(escape, row))  # people write brackets, which rich would read as styles
    console().print(table)


def _alias_cells(pointed: "Pointed") -> tuple[str, ...]:
    grounds, promotion = pointed.grounds, pointed.grounds.promotion
    return (
        promotion.alias,
        promotion.run_id,
        grounds.state.run.system,
        grounds.verdict.verdict_id,
        grounds.verdict.outcome,
        ", ".join(waiver.gate for waiver in grounds.waivers),
        f"{promotion.at:%Y-%m-%d %H:%M}" + (" (rolled back)" if promotion.rollback else ""),
        promotion.by,
    )


def _event_cells(event: "RegistryEvent", payload: "Mapping[str, object]") -> tuple[str, ...]:
    said = (payload.get("outcome"), payload.get("gate"), payload.get("reason"))
    return (
        str(event.sequence),
        f"{event.at:%Y-%m-%d %H:%M}",
        event.kind,
        event.alias or "",
        str(payload.get("run_id")),
        ": ".join(str(one) for one in said if one),
        str(payload.get("by") or ""),
        event.hash[:12],
    )


def _event_as_json(event: "RegistryEvent", payload: "Mapping[str, object]") -> dict[str, object]:
    return {
        "sequence": event.sequence,
        "kind": event.kind,
        "event_id": event.event_id,
        "alias": event.alias,
        "at": event.at.isoformat(),
        "payload": payload,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }
