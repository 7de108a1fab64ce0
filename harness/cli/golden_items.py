"""`harness golden items`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Home, Json

if TYPE_CHECKING:
    from harness.pipeline.item_analysis import ItemAnalysis, ItemReport

_ALIKE = (("never right",), ("always right",))  # concerns of which the numbers say no more: named together


def items(
    golden_set: Annotated[
        str, typer.Argument(metavar="SET|EXPERIMENT", help="a golden set's name or folder, or an experiment's folder")
    ],
    metric: Annotated[
        str | None, typer.Option(help="of the golden set; else its first pass/fail metric that is not about the format")
    ] = None,
    experiment: Annotated[str | None, typer.Option(help="only runs of this experiment")] = None,
    every: Annotated[bool, typer.Option("--all", help="list every item, also those without a concern")] = False,
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Say which items of a golden set to fix or retire, by what stored runs and raters made of them.

    Right is the share of runs that are right; discrimination is the correlation of the item with the score on all
    others (below 0, better runs do worse on it); split is how often near-equal runs score differently on it.

    Examples:

      harness golden items icd10_coding

      harness golden items suites/experiments/icd10_coding --metric golden/codes_f1 --json
    """
    from harness.cli.output import print_json
    from harness.pipeline.item_analysis import analyse_items

    found = analyse_items(golden_set, home, metric=metric, experiment=experiment)
    if json:
        print_json(asdict(found))
    else:
        _print(found, every=every)


def _print(found: "ItemAnalysis", *, every: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from harness.cli.output import console

    out = console()
    count = len(found.runs)
    out.print(
        f"{found.golden_set} {found.version}: {len(found.items)} items by {found.metric}, through {count} "
        f"run{'' if count == 1 else 's'} ({', '.join(found.runs.values())})",
        markup=False,
    )
    shown = [item for item in found.items if every or (item.concerns and item.concerns not in _ALIKE)]
    table = Table("item", "kind", "runs", "right", "discrimination", "split", "raters apart", "what to do")
    for item in shown:
        table.add_row(item.item_id, item.kind, str(item.runs), *_numbers(item), Text("\n".join(item.advice)))
    if shown:
        out.print(table)
    for alike in () if every else _ALIKE:
        for advice in dict.fromkeys(item.advice for item in found.items if item.concerns == alike):
            named = [item.item_id for item in found.items if item.concerns == alike and item.advice == advice]
            what = f"{len(named)} item{'' if len(named) == 1 else 's'} {alike[0]}"
            out.print(f"{what}: {', '.join(named)}\n  {advice[0]}", markup=False)
    concerns = [concern for item in found.items for concern in item.concerns]
    said = ", ".join(f"{concerns.count(one)} {one}" for one in dict.fromkeys(concerns)) or "no item raises a concern"
    out.print(f"concerns: {said}" + ("" if every else "; --all lists every item"), markup=False)
    for note in found.notes:
        out.print(f"note: {note}", markup=False)


def _numbers(item: "ItemReport") -> list[str]:
    told = item.discrimination
    return [
        "" if item.right is None else f"{100 * item.right:.0f} %",
        "" if told is None else f"{told.value:+.2f} ({told.low:+.2f} to {told.high:+.2f})",
        "" if item.split is None else f"{100 * item.split:.0f} %",
        "" if item.raters_apart is None else f"{100 * item.raters_apart:.0f} %",
    ]
