"""Rules that hold for the repository as a whole."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PACKAGE = TOP / "harness"
MODULES = sorted([*PACKAGE.rglob("*.py"), *(TOP / "reports").rglob("*.py")])

LARGEST_FILE_BYTES = 10 * 1024 * 1024
LONGEST_MODULE_LINES = 320
LONGEST_BODY_LINES = 55
MOST_PARAMETERS = 6
EMPTY_WORDS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "service"}
# Written apart, so that this file does not hold them.
MACHINE_PATHS = tuple(f"/{folder}/".encode() for folder in ("work", "root", "home"))


def name_of(path: Path) -> str:
    return str(path.relative_to(TOP))


def shared_files() -> list[Path]:
    """What is in the repository or would be with the next commit: tracked, or neither tracked nor ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        capture_output=True,
        check=True,
    ).stdout
    return [path for name in listed.decode().split("\0") if name and (path := TOP / name).is_file()]


def test_no_file_is_large() -> None:
    large = [name_of(path) for path in shared_files() if path.stat().st_size > LARGEST_FILE_BYTES]
    assert large == []


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    found = [
        f"{name_of(path)}:{number}"
        for path in shared_files()
        if path.suffix not in {".parquet", ".png", ".jpg", ".woff2"}
        for number, line in enumerate(path.read_bytes().splitlines(), start=1)
        if any(place in line for place in MACHINE_PATHS)
    ]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_MODULE_LINES
    for function in functions_of(ast.parse(text)):
        assert body_lines(function) <= LONGEST_BODY_LINES, f"{function.name} is long"
        assert parameters(function) <= MOST_PARAMETERS, f"{function.name} takes many parameters"


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def parameters(function: Function) -> int:
    """Parameters besides `self`; those of a command are its options, and typer wants them there."""
    if any("typer" in ast.unparse(argument.annotation or ast.Constant(None)) for argument in function.args.args):
        return 0
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return len([argument for argument in named if argument.arg not in {"self", "cls"}])


def test_the_caps_can_be_broken() -> None:
    long = "def f(a, b, c, d, e, f, g):\n    '''Says.\n\n    More.\n    '''\n" + "    x = 1\n" * 56
    [function] = functions_of(ast.parse(long))
    assert (body_lines(function), parameters(function)) == (56, 7)


def test_a_module_is_named_after_what_it_does() -> None:
    vague = [name_of(path) for path in MODULES if EMPTY_WORDS & {*path.stem.split("_"), path.parent.name}]
    assert vague == []


def test_every_folder_is_a_package_with_a_docstring_and_nothing_else_in_it() -> None:
    folders = {path.parent for path in MODULES}
    for folder in sorted(folders):
        tree = ast.parse((folder / "__init__.py").read_text())
        assert ast.get_docstring(tree), f"{name_of(folder)}/__init__.py has no docstring"
        if folder != PACKAGE:
            assert len(tree.body) == 1, f"{name_of(folder)}/__init__.py holds more than its docstring"


WITHOUT_A_MODEL = (
    "cli.main", "pipeline.board", "pipeline.campaign_close", "pipeline.campaign_open", "pipeline.campaigns",
    "pipeline.decide", "pipeline.gate", "pipeline.init", "pipeline.judged", "pipeline.rate", "pipeline.registry",
    "pipeline.report", "pipeline.run", "pipeline.show", "pipeline.verify",
)  # fmt: skip


@pytest.mark.parametrize("module", [f"harness.{name}" for name in WITHOUT_A_MODEL])
def test_what_needs_no_model_loads_no_library_for_models(module: str) -> None:
    # DuckDB is for what reads the ledger; `harness --help` does not.
    heavy = {"torch", "transformers", "peft", "trl", "datasets", "bitsandbytes"}
    heavy |= {"duckdb"} if module == "harness.cli.main" else set()
    script = f"import sys, {module}; print(*sorted(set(sys.modules) & {heavy!r}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=TOP, env=dict(os.environ)
    )
    assert done.stdout.strip() == ""
