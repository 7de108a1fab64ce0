"""`harness rate export` and `import`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli.options import DEFAULT_HOME, By, Debug, Home, Json, user_name
from harness.cli.rate_status import CampaignOption


def export(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="written over if it is there")],
    as_: Annotated[
        Literal["csv", "parquet", "preferences", "training"],
        typer.Option("--as", help="ratings as a table; pairs for DPO; corrected answers as candidate training records"),
    ] = "csv",
    campaign: CampaignOption = None,
    golden_items: Annotated[
        bool, typer.Option("--golden-items", help="write records that ask golden items, marked as such")
    ] = False,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Write the ratings of a campaign. While it is open, systems are left out.

    In CSV, text that begins with = + - @ or a tab has an apostrophe before it, since a spreadsheet would run it as a
    formula; parquet has text as it was typed.

    `preferences` has prompt, chosen and rejected, for DPO and reward training; `training` has what raters corrected.

    Examples:

      harness rate export --campaign c-20261121 --out ratings.csv

      harness rate export --campaign c-20261121 --as preferences --golden-items --out pairs.jsonl
    """
    from harness.pipeline.campaigns import find_campaign
    from harness.pipeline.rate_export import export_campaign

    done = export_campaign(home, find_campaign(home, campaign), as_, out, golden_items=golden_items)
    if json:
        from harness.cli.output import print_json

        print_json(
            {"campaign_id": done.campaign_id, "file": str(done.file), "rows": done.rows, "notes": list(done.notes)}
        )
        return
    typer.echo(f"{done.rows} {'row' if as_ in ('csv', 'parquet') else 'record'}{'s' * (done.rows != 1)}: {done.file}")
    for note in done.notes:
        typer.echo(f"note: {note}", err=True)


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with rater, item, system, criterion, value")],
    campaign: CampaignOption = None,
    by: By = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Add ratings that were made elsewhere to an open campaign: all of the file, or none.

    Importing a file twice changes nothing. `critical_error` and `comment` may stand for a criterion.

    Example: harness rate import ratings.csv --campaign c-20261121
    """
    from harness.pipeline.campaigns import find_campaign
    from harness.pipeline.rate_import import import_ratings

    done = import_ratings(home, find_campaign(home, campaign), file, by=by or user_name())
    if json:
        from harness.cli.output import print_json

        print_json(
            {
                "campaign_id": done.campaign_id,
                "judgements": done.judgements,
                "new": done.new,
                "raters": list(done.raters),
            }
        )
    else:
        typer.echo(
            f"{done.judgements} judgements of {len(done.raters)} raters, {done.new} of them new, are in campaign "
            f"{done.campaign_id}"
        )
