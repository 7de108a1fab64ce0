"""`harness promote`, `rollback`, `waive`, `aliases` and `verify`."""

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import DEFAULT_HOME, By, Debug, Home, Json, Set, user_name
from harness.cli.registry_output import print_aliases, print_history, print_pointed, print_proof

Alias = Annotated[str, typer.Argument(metavar="ALIAS", help="NAME@STAGE, such as icd10-coding@production")]
Verdict = Annotated[str, typer.Option("--verdict", metavar="ID", help="the verdict's id, or its beginning")]


def promote(
    alias: Alias,
    run: Annotated[str, typer.Argument(metavar="RUN", help="a run id, or its beginning")],
    verdict: Verdict,
    experiment: Annotated[
        Path | None, typer.Option(metavar="EXPERIMENT", help="its folder: policy and golden set are held against it")
    ] = None,
    set_: Set = None,
    by: By = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Point an alias at a run that a verdict lets through, and write promotion.json.

    Refused without a pass for this run, policy and golden set, made after the last change of any of them.

    Examples:

      harness promote icd10-coding@production 20261121-0712 --verdict v-20261121-0930

      harness promote icd10-coding@production 20261121-0712 --verdict v-20261121-0930 --experiment icd10_coding
    """
    from harness.pipeline.registry import PromotionRequest
    from harness.pipeline.registry import promote as point

    asked = PromotionRequest(
        alias=alias,
        run=run,
        verdict=verdict,
        by=by or user_name(),
        experiment=experiment,
        overrides=tuple(set_ or ()),
    )
    print_pointed(point(home, asked), json=json)


def rollback(
    alias: Alias,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="why the promotion is taken back")],
    by: By = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Point an alias back at the run before.

    Example: harness rollback icd10-coding@production --reason "codes fractures twice"
    """
    from harness.pipeline.registry import rollback as point_back

    print_pointed(point_back(home, alias, reason=reason, by=by or user_name()), json=json)


def waive(
    gate: Annotated[str, typer.Argument(metavar="GATE", help="name of a gate that did not pass")],
    verdict: Verdict,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="why it may ship all the same")],
    by: Annotated[str, typer.Option(metavar="NAME", help="who answers for it")],
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DATE", help="last day it holds (UTC), within a year")
    ],
    alias: Annotated[str | None, typer.Option(metavar="ALIAS", help="needed where the policy names no alias")] = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Record a signed, expiring exception for one gate of one verdict; it is shown wherever the verdict is.

    Example: harness waive mmlu --verdict v-20261121-0930 --reason "it only codes" --by "J. Doe" --until 2026-12-31
    """
    from dataclasses import asdict

    from harness.pipeline.registry import WaiverRequest, open_gates
    from harness.pipeline.registry import waive as record

    end = datetime.combine(until.date(), time.max, tzinfo=UTC)
    asked = WaiverRequest(gate=gate, verdict=verdict, reason=reason, by=by, until=end, alias=alias)
    waiver = record(home, asked)
    if json:
        from harness.cli.output import print_json

        print_json({**asdict(waiver), "at": waiver.at.isoformat(), "until": waiver.until.isoformat()})
        return
    typer.echo(f"gate {waiver.gate} of verdict {waiver.verdict_id} is waived for {waiver.alias} until {until:%Y-%m-%d}")
    if still_open := open_gates(home, waiver.verdict_id, waiver.alias):
        typer.echo(f"still not passed: {', '.join(still_open)}")
    else:
        typer.echo(f"next: harness promote {waiver.alias} {waiver.run_id} --verdict {waiver.verdict_id}{_at(home)}")


def aliases(
    alias: Annotated[str | None, typer.Argument(metavar="ALIAS", help="only this one")] = None,
    history: Annotated[bool, typer.Option("--history", help="every event of the registry, oldest first")] = False,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List what each alias points at and what that rests on; or everything that ever happened to it.

    Examples:

      harness aliases

      harness aliases icd10-coding@production --history
    """
    from harness.pipeline.aliases import history as read_history
    from harness.pipeline.aliases import list_aliases

    if history:
        print_history(read_history(home, alias), json=json)
    else:
        print_aliases(list_aliases(home, alias), json=json)


def verify(
    verdict: Annotated[
        str | None, typer.Argument(metavar="VERDICT", help="derive this verdict again too; an id or its beginning")
    ] = None,
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="a head that was kept: the chain must have it")
    ] = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check that nobody edited the registry by hand, and that a verdict follows from the ledger to the last digit.

    Exit 0: all holds. Exit 1: something does not, and is named. It proves nothing against somebody who holds the key.

    Examples:

      harness verify

      harness verify v-20261121-0930
    """
    from harness.pipeline.verify import verify_registry, verify_verdict

    chain = verify_registry(home, head=head)
    derived = verify_verdict(home, verdict) if verdict else None
    print_proof(chain, derived, json=json)
    if chain.problems or (derived and derived.differences):
        raise typer.Exit(1)


def _at(home: Path) -> str:
    return "" if home == DEFAULT_HOME else f" --home {home}"
