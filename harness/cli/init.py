"""`harness init`."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import Debug, Json

if TYPE_CHECKING:
    from harness.pipeline.init import Project


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder to make; nothing is ever overwritten")],
    golden: Annotated[
        Path | None, typer.Option(metavar="FILE", help="questions and right answers, CSV or JSONL")
    ] = None,
    train: Annotated[
        Path | None, typer.Option(metavar="FILE", help="records to learn from, CSV or JSONL: adds few_shot and lora")
    ] = None,
    corpus: Annotated[
        Path | None, typer.Option(metavar="FILE", help="passages to retrieve from, CSV or JSONL: adds rag")
    ] = None,
    adapter: Annotated[
        Path | None, typer.Option(metavar="DIR", help="a PEFT adapter trained elsewhere: adds theirs")
    ] = None,
    base_model: Annotated[
        str | None, typer.Option(help="catalog name, Hugging Face id or folder; default: the adapter's, or a small one")
    ] = None,
    name: Annotated[str | None, typer.Option(help="of the experiment; default: the name of DIR")] = None,
    question: Annotated[str | None, typer.Option(help="what the comparison is to answer")] = None,
    licence: Annotated[str | None, typer.Option(help="of the golden set, such as CC-BY-4.0")] = None,
    input_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="the column with the question, where its name does not say so")
    ] = None,
    reference_column: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="a column with the right answer (repeatable)")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="of CSV files that are not UTF-8, such as cp1252")] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make a project from your own files, or a copy of the example; ready for check and run.

    The golden set has a question and an answer in each row. Columns are told
    by their names, in any case: question, input, prompt; answer, reference.
    Several right answers stand in "answer" and "answer 2", or with a bar
    between them in "answers". Also read: id, tags, group, difficulty, kind,
    source, notes, must_contain, must_not_contain.

    Examples:

      harness init my-copy

      harness init capitals --golden questions.csv

      harness init my-domain --golden questions.csv --train answers.jsonl

      harness init theirs --golden golden.jsonl --adapter path/to/adapter
    """
    own = {
        "--train": train, "--corpus": corpus, "--adapter": adapter, "--base-model": base_model, "--name": name,
        "--question": question, "--licence": licence, "--input-column": input_column,
        "--reference-column": reference_column, "--encoding": encoding,
    }  # fmt: skip
    if golden is None:
        given = [option for option, value in own.items() if value]
        if given:
            raise typer.BadParameter(f"{', '.join(given)} needs --golden FILE: what systems are compared on.")
        from harness.pipeline.init import init_from_example

        project = init_from_example(folder)
    else:
        from harness.pipeline.init import init_from_files
        from harness.pipeline.init_plan import Wishes
        from harness.pipeline.init_sources import OwnFiles

        files = OwnFiles(
            golden=golden,
            train=train,
            corpus=corpus,
            adapter=adapter,
            base_model=base_model,
            input_column=input_column,
            reference_columns=tuple(reference_column or ()),
            encoding=encoding,
        )
        project = init_from_files(folder, files, Wishes(name=name, question=question, licence=licence))
    if json:
        from harness.cli.output import print_json

        print_json(_as_json(project))
    else:
        _print(project)


def _as_json(project: "Project") -> dict[str, object]:
    return {
        "folder": str(project.folder),
        "experiment": project.name,
        "systems": project.systems,
        "files": project.files,
        "decisions": project.decisions,
        "next": _next_steps(project),
    }


def _print(project: "Project") -> None:
    typer.echo(f"{project.folder}/")
    width = max(len(name) for name in project.files)
    for name, what in project.files.items():
        typer.echo(f"  {name:<{width}}  {what}")
    typer.echo(f"systems: {', '.join(project.systems)}")
    typer.echo("decided:")
    for decision in project.decisions:
        typer.echo(f"  - {decision}")
    typer.echo("next:")
    for step in _next_steps(project):
        typer.echo(f"  {step}")


def _next_steps(project: "Project") -> list[str]:
    where = shlex.quote(str(project.folder))
    *baselines, candidate = project.systems
    return [
        f"harness check {where}",
        f"harness run {where}",
        f"harness compare {where} --candidate {candidate} --against {' '.join(baselines)}",
        "harness ui",
    ]
