"""`harness rate status`, `extend` and `close`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, By, Debug, Home, Json, user_name

if TYPE_CHECKING:
    from harness.pipeline.campaign_close import Closed
    from harness.pipeline.campaigns import CampaignProgress, RaterProgress
    from harness.records.rating import Campaign, Link

CampaignOption = Annotated[
    str | None,
    typer.Option("--campaign", metavar="ID", help="its id, or the beginning; the open one if there is only one"),
]


def status(
    campaign: Annotated[
        str | None, typer.Option("--campaign", metavar="ID", help="only this one, with raters and items")
    ] = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show how far campaigns have come, by rater and item. Nothing is unblinded.

    Examples:

      harness rate status

      harness rate status --campaign c-20261121 --json
    """
    from harness.pipeline.campaign_fold import fold_if_free, lost_campaigns
    from harness.pipeline.campaigns import campaign_list, campaign_progress, find_campaign

    found = [campaign_progress(home, find_campaign(home, campaign))] if campaign else list(campaign_list(home))
    note = fold_if_free(home)
    if json:
        from harness.cli.output import print_json

        print_json([_progress_as_json(one) for one in found])
        return
    if not found:
        typer.echo("no campaign yet: `harness rate open EXPERIMENT --runs ...` opens one.")
    _print_list(found)
    for one in found:
        if campaign or one.closed is None:
            _print_raters(one)
    if campaign:
        _print_items(found[0])
    for said in (*([note] if note else []), *lost_campaigns(home)):
        typer.echo(f"note: {said}")


def extend(
    reason: Annotated[str, typer.Option(metavar="TEXT", help="why; it is kept and shown with the results")],
    campaign: CampaignOption = None,
    items: Annotated[int | None, typer.Option(help="how many more items, drawn by the seed")] = None,
    raters_per_item: Annotated[int | None, typer.Option(help="people who are to rate each item from now on")] = None,
    by: By = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make an open campaign larger. Its size was fixed at opening, so this is recorded.

    Example: harness rate extend --items 25 --reason "the interval of accuracy is 0.6 wide"
    """
    from harness.pipeline.campaigns import extend_campaign, find_campaign

    extended = extend_campaign(
        home,
        find_campaign(home, campaign),
        items=items,
        raters_per_item=raters_per_item,
        reason=reason,
        by=by or user_name(),
    )
    if json:
        from harness.cli.output import print_json

        print_json(campaign_as_json(extended))
    else:
        typer.echo(
            f"campaign {extended.campaign_id} now has {len(extended.item_ids)} items, {extended.raters_per_item} "
            "raters each; the reason is recorded"
        )


def close(
    campaign: CampaignOption = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="though items lack raters")] = False,
    by: By = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """End a campaign for good, unblind it, and record its metrics for compare, gate and report.

    Closing again prints the same results.

    Examples:

      harness rate close

      harness rate close --campaign c-20261121 --anyway
    """
    from harness.pipeline.campaign_close import close_campaign
    from harness.pipeline.campaigns import find_campaign

    done = close_campaign(home, find_campaign(home, campaign), by=by or user_name(), anyway=anyway)
    if json:
        from harness.cli.output import print_json

        print_json(_closed_as_json(done))
    else:
        _print_closed(done)


def at_home(home: Path) -> str:
    """The `--home` option as it would be typed again, with a leading space; empty for the default."""
    return "" if home == DEFAULT_HOME else f" --home {home}"


def campaign_as_json(campaign: "Campaign", *, unblinded: bool = False) -> dict[str, object]:
    """A campaign as its owner may see it while it is open; with its runs once it is closed."""
    return {
        "campaign_id": campaign.campaign_id,
        "experiment": campaign.experiment,
        "kind": campaign.kind,
        "systems": sorted(campaign.runs),
        **({"runs": dict(campaign.runs)} if unblinded else {}),
        "golden_set": campaign.golden_set,
        "golden_version": campaign.golden_version,
        "golden_sha256": campaign.golden_sha256,
        "validated": campaign.validated,
        "validated_sha256": campaign.validated_sha256,
        "items": len(campaign.item_ids),
        "calibration": len(campaign.calibration_ids),
        "raters_per_item": campaign.raters_per_item,
        "repeats": campaign.repeats,
        "reference": campaign.reference,
        "rubric_sha256": campaign.rubric_sha256,
        "seed": campaign.seed,
        "lease_s": campaign.lease_s,
        "opened_at": campaign.opened_at.isoformat(),
        "by": campaign.by,
    }


def _progress_as_json(found: "CampaignProgress") -> dict[str, object]:
    closed = found.closed
    return {
        **campaign_as_json(found.campaign, unblinded=closed is not None),
        "status": "closed" if closed else "open",
        "closed_at": closed.at.isoformat() if closed else None,
        "closed_by": closed.by if closed else None,
        "judgements": found.judgements,
        "items_done": found.items_done,
        "raters": [_rater_as_json(one) for one in found.raters],
        "raters_done": found.raters_done,
        "calibration_done": found.calibration_done,
        "unreadable_lines": found.unreadable,
    }


def _rater_as_json(one: "RaterProgress") -> dict[str, object]:
    return {
        "rater": one.rater,
        "screens": one.screens,
        "judged": one.judged,
        "last_seen": one.last_seen.isoformat() if one.last_seen else None,
        "links": [
            {"link_id": link.link_id, "expires_at": link.expires_at.isoformat(), "state": _link_state(link)}
            for link in one.links
        ],
    }


def _link_state(link: "Link") -> str:
    if link.revoked_at is not None:
        return "revoked"
    return "expired" if datetime.now(UTC) >= link.expires_at else "good"


def _print_list(found: "list[CampaignProgress]") -> None:
    from rich.table import Table

    from harness.cli.output import console

    if not found:
        return
    table = Table("campaign", "experiment", "kind", "of", "status", "items done", "screens judged", "raters")
    for one in found:
        campaign = one.campaign
        table.add_row(
            campaign.campaign_id,
            campaign.experiment,
            campaign.kind,
            ", ".join(sorted(campaign.runs)) or str(campaign.validated),
            f"closed {one.closed.at:%Y-%m-%d} by {one.closed.by}" if one.closed else "open",
            f"{one.items_done} of {len(campaign.item_ids)}",
            str(one.judgements),
            str(sum(rater.judged > 0 for rater in one.raters)),
        )
    console().print(table)


def _print_raters(found: "CampaignProgress") -> None:
    from rich.table import Table
    from rich.text import Text

    from harness.cli.output import console

    table = Table("rater", "judged", "last seen (UTC)", "links", title=found.campaign.campaign_id, title_justify="left")
    for one in found.raters:
        states = [_link_state(link) for link in one.links]
        table.add_row(
            Text(one.rater),
            f"{one.judged} of {one.screens} begun",
            f"{one.last_seen:%Y-%m-%d %H:%M}" if one.last_seen else "",
            ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)),
        )
    console().print(table)
    if found.unreadable:
        typer.echo(
            f"note: {found.unreadable} lines of the journal cannot be read (torn when the machine stopped, and never "
            "acknowledged; or written by a newer harness)"
        )


def _print_items(found: "CampaignProgress") -> None:
    from rich.table import Table

    from harness.cli.output import console

    table = Table("item", "raters done", "")
    for item_id, done in found.calibration_done.items():
        table.add_row(item_id, str(done), "calibration")
    for item_id, done in found.raters_done.items():
        wanted = found.campaign.raters_per_item
        table.add_row(item_id, f"{done} of {wanted}", "" if done < wanted else "complete")
    console().print(table)


def _closed_as_json(done: "Closed") -> dict[str, object]:
    from dataclasses import asdict

    return {
        **campaign_as_json(done.state.campaign, unblinded=True),
        "closed_at": done.closed.at.isoformat(),
        "closed_by": done.closed.by,
        "lacking": done.lacking,
        "means": _means(done),
        "agreement": {metric: asdict(one) for metric, one in done.results.agreement.items()},
        "notes": list(done.results.notes),
    }


def _means(done: "Closed") -> dict[str, dict[str, float]]:
    """Mean by system and metric, of each item's mean over raters."""
    names: Mapping[str, str] = {run_id: system for system, run_id in done.state.campaign.runs.items()}
    means: dict[str, dict[str, float]] = {}
    for run_id, scores in done.results.scores.items():
        by_item: dict[str, dict[str, list[float]]] = {}
        for score in scores:
            if score.value is not None:
                by_item.setdefault(score.metric, {}).setdefault(score.item_id, []).append(score.value)
        means[names.get(run_id, run_id)] = {
            metric: sum(sum(values) / len(values) for values in items.values()) / len(items)
            for metric, items in by_item.items()
        }
    return means


def _named(metric: str, runs: Mapping[str, str]) -> str:
    """A metric's name with the system's name where it holds a run id."""
    head, colon, run_id = metric.partition(":")
    return next((f"{head} over {system}" for system, run in runs.items() if colon and run == run_id), metric)


def _print_closed(done: "Closed") -> None:
    from rich.table import Table

    from harness.cli.output import console

    campaign = done.state.campaign
    typer.echo(f"campaign {campaign.campaign_id} is closed and unblinded, {done.closed.at:%Y-%m-%d %H:%M} UTC")
    if done.lacking:
        typer.echo(f"note: {done.lacking} ratings of items were missing when it was closed")
    means = _means(done)
    metrics = sorted({metric for of_system in means.values() for metric in of_system})
    if metrics:
        table = Table("metric", *means, "alpha")
        for metric in metrics:
            agreement = done.results.agreement.get(metric)
            alpha = f"{agreement.alpha:.2f}" if agreement and agreement.alpha is not None else ""
            values = [f"{of[metric]:.3f}" if metric in of else "" for of in means.values()]
            table.add_row(_named(metric, campaign.runs), *values, alpha)
        console().print(table)
    for note in done.results.notes:
        typer.echo(f"note: {note}")
    if metrics:
        typer.echo("next: harness compare EXPERIMENT --candidate SYSTEM --against SYSTEM has the intervals")
