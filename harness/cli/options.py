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

DEFAULT_HOME = Path(".harness")


def as_typed(overrides: list[str] | None) -> str:
    """The `--set` options as they would be typed again, with a leading space; empty where there are none."""
    return "".join(f" --set {shlex.quote(override)}" for override in overrides or ())
