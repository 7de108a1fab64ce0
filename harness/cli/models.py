"""`harness models`."""

from typing import Annotated

import typer

from harness.cli.options import DEFAULT_HOME, Debug, Home, Json

app = typer.Typer(
    help="Base models: what the catalog holds, and fetching it; and what an alias stands for.", no_args_is_help=True
)


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


@app.command()
def resolve(
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="NAME@STAGE, such as icd10-coding@production")],
    home: Home = DEFAULT_HOME,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Print the folder of the adapter that an alias points at, after checking the registry and the adapter's hash.

    With --json: base model, adapter, hashes, verdict and waivers.

    Example: harness models resolve icd10-coding@production
    """
    from harness.cli.output import print_json
    from harness.errors import RegistryError
    from harness.pipeline.aliases import resolve as find
    from harness.pipeline.promotion_file import promotion_content

    found = find(home, alias)
    promotion = found.grounds.promotion
    folder = str((home / promotion.adapter_path).resolve()) if promotion.adapter_path else None
    for note in found.notes:
        typer.echo(f"warning: {note}", err=True)
    if json:
        print_json({**promotion_content(found.grounds), "adapter_folder": folder, "notes": list(found.notes)})
    elif folder is None:
        raise RegistryError(
            f"{alias} points at run {promotion.run_id}, which has no adapter: base model "
            f"{promotion.base_model.get('name')} answers with a prompt. --json prints what there is."
        )
    else:
        typer.echo(folder)
