"""`harness rate`: campaigns of rating by experts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli import rate_files, rate_status
from harness.cli.options import DEFAULT_HOME, By, Debug, Experiment, Home, Json, Set, user_name
from harness.cli.rate_status import CampaignOption, at_home

if TYPE_CHECKING:
    from harness.pipeline.rate_links import Invitation
    from harness.records.rating import Campaign

app = typer.Typer(help="Rating by experts: campaigns, links, results.", no_args_is_help=True)

_URL = "http://127.0.0.1:8501"


@app.callback()
def rate() -> None:
    """Rating by experts: campaigns, links, results."""


@app.command("open", context_settings={"allow_extra_args": True})  # --runs A B C
def open_(
    context: typer.Context,
    experiment: Experiment,
    runs: Annotated[
        list[str] | None, typer.Option("--runs", metavar="SYSTEM...", help="systems or run ids whose answers are rated")
    ] = None,
    kind: Annotated[
        Literal["rubric", "pairwise", "both", "validate"],
        typer.Option(help="rate each answer by the rubric, compare two, do both, or look through data"),
    ] = "rubric",
    raters_per_item: Annotated[int, typer.Option(help="people who rate each item")] = 2,
    items: Annotated[int | None, typer.Option(help="items to rate, drawn by the seed; all if left out")] = None,
    calibration: Annotated[int, typer.Option(help="items that everybody rates first, counted apart")] = 0,
    repeats: Annotated[float, typer.Option(help="share of screens shown again, unannounced: 0.1 is 10 %")] = 0.1,
    reference: Annotated[
        Literal["shown", "hidden", "after"], typer.Option(help="the reference: after is once an item is judged")
    ] = "hidden",
    seed: Annotated[int | None, typer.Option(help="of the design; the experiment's if left out")] = None,
    lease_minutes: Annotated[float, typer.Option(help="after which an item that was left goes to others")] = 30.0,
    data: Annotated[
        str, typer.Option(metavar="golden|FILE", help="for --kind validate: the golden set, or a training set")
    ] = "golden",
    set_: Set = None,
    by: By = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Open a campaign: runs, items, rubric and design are fixed from here on.

    Sealed and retired items are left out. A system that gave no answer is shown with "(no answer)".

    Examples:

      harness rate open icd10_coding --runs lora few_shot rag

      harness rate open icd10_coding --runs lora few_shot --kind pairwise --items 30 --raters-per-item 3

      harness rate open icd10_coding --kind validate --data train.jsonl --items 50
    """
    from harness.pipeline.campaign_open import CampaignRequest, open_campaign

    asked = CampaignRequest(
        experiment=experiment,
        by=by or user_name(),
        kind=kind,
        runs=(*(runs or ()), *context.args),
        raters_per_item=raters_per_item,
        items=items,
        calibration=calibration,
        repeats=repeats,
        reference=reference,
        seed=seed,
        lease_minutes=lease_minutes,
        data=data,
        overrides=tuple(set_ or ()),
    )
    campaign = open_campaign(home, asked)
    if json:
        from harness.cli.output import print_json
        from harness.cli.rate_status import campaign_as_json

        print_json(campaign_as_json(campaign))
    else:
        _print_opened(campaign, home)


@app.command()
def invite(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="one name is one rater")] = None,
    campaign: CampaignOption = None,
    days: Annotated[float, typer.Option(help="for how long the links are good")] = 14.0,
    owner: Annotated[
        bool, typer.Option("--owner", help="a link to the owner's pages instead, good for 12 hours")
    ] = False,
    url: Annotated[str, typer.Option(metavar="URL", help="where raters reach `harness ui`")] = _URL,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Print a personal link for each rater. Who has a link can rate in that name: send each to one person.

    Examples:

      harness rate invite Ada Bob

      harness rate invite "Dr. Grace H." --campaign c-20261121 --days 7 --url https://rating.example.org

      harness rate invite --owner
    """
    from harness.errors import RatingError
    from harness.pipeline.campaigns import campaign_state, find_campaign, refuse_closed
    from harness.pipeline.rate_links import invite as issue
    from harness.pipeline.rate_links import invite_owner

    if owner:
        if names or campaign:
            raise RatingError("--owner makes one link to the owner's pages; names and --campaign do not go with it.")
        found = (invite_owner(home),)
    else:
        campaign_id = find_campaign(home, campaign)
        refuse_closed(campaign_state(home, campaign_id))
        found = issue(home, campaign_id, names or [], days=days)
    _print_invitations(found, url.rstrip("/"), json=json)


@app.command()
def revoke(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="raters whose links end")] = None,
    link: Annotated[list[str] | None, typer.Option(metavar="ID", help="one link by its id (repeatable)")] = None,
    owners: Annotated[bool, typer.Option("--owners", help="every owner's link")] = False,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Take links back. It holds from the next request on; what the raters gave stays.

    Examples:

      harness rate revoke Ada

      harness rate revoke --owners
    """
    from harness.errors import RatingError
    from harness.pipeline.rate_links import revoke as take_back

    if not names and not link and not owners:
        raise RatingError("nothing was revoked: name raters, or a link with --link ID, or all owners with --owners.")
    ended = take_back(home, raters=names or (), link_ids=link or (), owners=owners)
    if json:
        from harness.cli.output import print_json

        print_json([{"link_id": one.link_id, "rater": one.rater, "campaign_id": one.campaign_id} for one in ended])
        return
    for one in ended:
        typer.echo(f"revoked: link {one.link_id} of {one.rater or 'the owner'}")
    if not ended:
        typer.echo("nothing to revoke: those links were taken back before.")


def _print_opened(campaign: "Campaign", home: Path) -> None:
    shown = f"{', '.join(campaign.runs)}" if campaign.runs else f"{campaign.validated}"
    calibration = f" and {len(campaign.calibration_ids)} for calibration" if campaign.calibration_ids else ""
    typer.echo(
        f"campaign {campaign.campaign_id} is open: {campaign.kind} of {shown}; {len(campaign.item_ids)} items"
        f"{calibration}, {campaign.raters_per_item} rater{'s' if campaign.raters_per_item != 1 else ''} each"
    )
    typer.echo(f"golden set {campaign.golden_set} {campaign.golden_version}, rubric {campaign.rubric_sha256[:12]}")
    typer.echo(f"next: harness rate invite NAME...{at_home(home)}, then harness ui{at_home(home)}")


def _print_invitations(found: "tuple[Invitation, ...]", url: str, *, json: bool) -> None:
    if json:
        from harness.cli.output import print_json

        print_json(
            [
                {
                    "rater": one.link.rater,
                    "campaign_id": one.link.campaign_id,
                    "link_id": one.link.link_id,
                    "url": f"{url}/r/{one.token}",
                    "expires_at": one.link.expires_at.isoformat(),
                }
                for one in found
            ]
        )
        return
    for one in found:
        typer.echo(f"{one.link.rater or 'owner'}, until {one.link.expires_at:%Y-%m-%d %H:%M} UTC:")
        typer.echo(f"  {url}/r/{one.token}")


app.command("status")(rate_status.status)
app.command("extend")(rate_status.extend)
app.command("close")(rate_status.close)
app.command("export")(rate_files.export)
app.command("import")(rate_files.import_)
