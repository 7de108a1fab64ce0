"""`harness models`."""

from typing import Annotated

import typer

from harness.cli.options import Debug, Json

app = typer.Typer(help="Base models: what the catalog holds, and fetching it.", no_args_is_help=True)


@app.command("list")
def list_models(json: Json = False, debug: Debug = False) -> None:
    """List the catalog: models that need no hub.

    Example: harness models list
    """
    from harness.models.catalog import CATALOG

    if json:
        from harness.cli.output import print_json

        print_json(
            [
                {
                    "name": model.name,
                    "task": model.task,
                    "licence": model.licence,
                    "note": model.note,
                    "pulled": model.is_pulled,
                    "folder": str(model.folder) if model.is_pulled else None,
                }
                for model in CATALOG.values()
            ]
        )
        return
    from rich.table import Table

    from harness.cli.output import console

    table = Table("name", "task", "licence", "here", "note")
    for model in CATALOG.values():
        here = "yes" if model.is_pulled else f"no ({model.download_mb} MB)"
        table.add_row(model.name, model.task, model.licence, here, model.note)
    console().print(table)
    typer.echo("Also usable as base_model: a Hugging Face id (owner/name) or a folder (./path).")


@app.command()
def pull(name: Annotated[str, typer.Argument(help="a name from `harness models list`")], debug: Debug = False) -> None:
    """Download a catalog model, check it and convert it, once.

    Example: harness models pull smollm2-135m-instruct
    """
    from harness.cli.output import TerminalProgress
    from harness.models.pull import catalog_model
    from harness.models.pull import pull as pull_model

    folder = pull_model(catalog_model(name), TerminalProgress().say)
    typer.echo(f"{name} is ready in {folder}")
