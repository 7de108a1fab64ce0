"""`harness golden diff`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Home, Json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.pipeline.golden_diff import SetDiff

_VERSION = "a golden set's folder or name, or NAME@VERSION for a version that the ledger holds"


def diff(
    older: Annotated[str, typer.Argument(metavar="A", help=f"the older version: {_VERSION}")],
    newer: Annotated[str, typer.Argument(metavar="B", help="the newer version, named likewise")],
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Show what changed between two versions of a golden set, and which stored runs must be evaluated again.

    An item is another one where its hash changed: its question, or what it is scored against. Tags, notes and such may
    change without that. Comparisons across versions use the items that are the same in both.

    Examples:

      harness golden diff icd10_coding@1.0.0 icd10_coding

      harness golden diff golden_sets/mine_1 golden_sets/mine --json
    """
    from harness.cli.output import print_json
    from harness.pipeline.golden_diff import diff_golden_sets

    found = diff_golden_sets(older, newer, home)
    if json:
        print_json({**asdict(found), "asked_again": found.asked_again})
    else:
        _print(found)


def _print(found: "SetDiff") -> None:
    from rich.table import Table
    from rich.text import Text

    from harness.cli.output import console

    out = console()
    same = "1 item is" if found.same == 1 else f"{found.same} items are"
    out.print(f"{found.older} -> {found.newer}: {same} the same", markup=False)
    table = Table("change", "items", "which")
    retired = [f"{item_id}: {why}" for item_id, why in found.retired.items()]
    others = [f"{one.item_id}: {', '.join(one.fields)}" for one in found.changed if one.is_other]
    moved = [one.item_id for one in found.changed if one.is_moved and not one.is_other]
    remarks = [f"{one.item_id}: {', '.join(one.fields)}" for one in found.changed if not one.is_other | one.is_moved]
    for what, listed in (
        ("added", found.added),
        ("removed", found.removed),
        ("retired", retired),
        ("asked again after retirement", found.unretired),
        ("changed, so another item", others),
        ("sealed, or no longer sealed", moved),
        ("changed in remarks only", remarks),
    ):
        if listed:
            table.add_row(what, str(len(listed)), Text(_some(listed)))
    if table.row_count:
        out.print(table)
    for sentence in found.settings:
        out.print(sentence, markup=False)
    if found.runs:
        effects = Table("run", "experiment", "system", "what to do", "why")
        for run in found.runs:
            effects.add_row(run.run_id, run.experiment, run.system, run.effect, run.words)
        out.print(effects)
        out.print(
            "`harness run EXPERIMENT` makes runs of the new version, by which systems are then known. A run above is "
            "compared by its run id, on the items that are the same.",
            markup=False,
        )
    elif found.runs is not None:
        out.print(f"no finished run of {found.older} is concerned", markup=False)
    for note in found.notes:
        out.print(f"note: {note}", markup=False)


def _some(listed: "Iterable[str]", shown: int = 12) -> str:
    lines = list(listed)
    rest = [f"and {len(lines) - shown} more (--json has all)"] if len(lines) > shown else []
    return "\n".join([*lines[:shown], *rest])
