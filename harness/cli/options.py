"""Arguments and options that several commands share."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

Experiment = Annotated[
    Path,
    typer.Argument(metavar="EXPERIMENT", help="experiment.yaml, its folder, or the name of a shipped experiment"),
]
Home = Annotated[
    Path,
    typer.Option("--home", envvar="HARNESS_HOME", help="where the ledger and adapters are kept"),
]
Json = Annotated[bool, typer.Option("--json", help="print JSON, and nothing else, on standard output")]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="change a value, e.g. systems.lora.finetune.epochs=1 (repeatable)"),
]
Debug = Annotated[bool, typer.Option("--debug", help="show the traceback of an error")]

By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="who decides; your user name if left out")]
AllowOverlap = Annotated[
    str | None,
    typer.Option(
        "--allow-overlap",
        metavar="REASON",
        help="learn records that stand in what is scored all the same; why is recorded, and the items are marked",
    ),
]

DEFAULT_HOME = Path(".harness")


def user_name() -> str:
    """Who is logged in, for the record of who decided."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError) as nobody:
        raise typer.BadParameter("this machine does not say who you are; name yourself with --by") from nobody


def as_typed(overrides: list[str] | None) -> str:
    """The `--set` options as they would be typed again, with a leading space; empty where there are none."""
    return "".join(f" --set {shlex.quote(override)}" for override in overrides or ())
