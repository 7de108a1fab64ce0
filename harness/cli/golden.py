"""`harness golden`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import golden_check, golden_diff, golden_items
from harness.cli.options import DEFAULT_HOME, Debug, Home, Json

if TYPE_CHECKING:
    from harness.pipeline.power import PowerLine, SetPower

app = typer.Typer(help="Golden sets: check them, what they can show, what changed.", no_args_is_help=True)
app.command("check")(golden_check.check)
app.command("diff")(golden_diff.diff)
app.command("items")(golden_items.items)


@app.callback()
def golden() -> None:
    """Golden sets: check them, what they can show, what changed."""


@app.command()
def power(
    golden_set: Annotated[str, typer.Argument(metavar="SET", help="the name of a golden set, or its folder")],
    raters: Annotated[int, typer.Option(help="people who rate each answer")] = 2,
    target: Annotated[
        float | None, typer.Option(help="a difference to plan for, as a share of the metric's range: 0.1 is 10 points")
    ] = None,
    experiment: Annotated[str | None, typer.Option(help="measure on the runs of this experiment alone")] = None,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say which differences a golden set is likely to show, and how many items or raters a smaller one needs.

    How much systems and raters disagree is measured where the ledger has runs and ratings of this set; else it is
    assumed, and said.

    Examples:

      harness golden power icd10_coding

      harness golden power golden_sets/icd10_coding --raters 3 --target 0.1 --experiment icd10_coding
    """
    from harness.pipeline.power import named_set_power
    from harness.pipeline.wear import named_set_wear

    found = named_set_power(golden_set, home, raters=raters, target=target, experiment=experiment)
    wear = named_set_wear(golden_set, home)
    if json:
        from harness.cli.output import print_json

        print_json({**asdict(found), "wear": wear})
    else:
        _print(found)
        for line in wear:
            typer.echo(line)


def _print(found: "SetPower") -> None:
    from rich.table import Table

    from harness.cli.output import console
    from harness.pipeline.power import value_text

    grouped = f" in {found.groups} groups" if found.groups < found.items else ""
    typer.echo(
        f"{found.golden_set} {found.version}: {_items(found.items)}{grouped}; smallest true difference seen with "
        f"{100 * found.power:.0f} % power at {100 * found.confidence:.0f} % confidence"
    )
    table = Table("metric", "independent items", "smallest difference", "from")
    for line in found.lines:
        spread = line.spread
        smallest = value_text(spread.kind, line.smallest)
        table.add_row(spread.metric, f"{line.effective_items:.0f}", smallest, spread.basis)
    console().print(table)
    for line in found.lines:
        if line.target is not None:
            typer.echo(_need(line, found))
    if found.on_sealed:
        typer.echo(f"note: {found.on_sealed}")


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def _need(line: "PowerLine", found: "SetPower") -> str:
    from harness.pipeline.power import value_text
    from harness.stats.sample_size import MOST_ITEMS

    aim = f"{line.spread.metric}, to see {value_text(line.spread.kind, line.target)}"
    if line.items_needed is None:
        return f"{aim}: more than {MOST_ITEMS:,} items"
    more = line.items_needed - found.items
    if more <= 0:
        return f"{aim}: about {line.items_needed:,} items; there are enough"
    raters = f", or {line.raters_needed} raters with the items there are" if line.raters_needed else ""
    return f"{aim}: about {line.items_needed:,} items, {more:,} more{raters}"
