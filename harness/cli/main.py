"""`harness`: the command line's entry point."""

import gc
import logging
import os
import signal
import sys
import warnings
from types import FrameType

import typer

from harness.cli import check, compare, data, gate, golden, init, models, rate, registry, report, run, runs, sql, ui
from harness.errors import HarnessError

app = typer.Typer(
    name="harness",
    help="Does a fine-tuned model beat prompting and RAG here, what did it forget, and may it ship?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init.init)
app.command("check")(check.check)
app.command("run")(run.run)
app.command("runs")(runs.list_runs)
app.command("show")(runs.show)
app.command("compare", context_settings={"allow_extra_args": True})(compare.compare)  # --against A B C
app.command("gate")(gate.gate)
app.command("report")(report.report)
app.command("sql")(sql.sql)
app.command("promote")(registry.promote)
app.command("rollback")(registry.rollback)
app.command("waive")(registry.waive)
app.command("aliases")(registry.aliases)
app.command("verify")(registry.verify)
app.command("ui")(ui.ui)
app.add_typer(golden.app, name="golden")
app.add_typer(data.app, name="data")
app.add_typer(models.app, name="models")
app.add_typer(rate.app, name="rate")


def main() -> None:
    """Runs the command line. Exit codes: 0 done, 1 an error that is said, 2 wrong usage, 130 stopped by Ctrl-C."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    gc.set_threshold(100_000)  # ledgers give hundreds of thousands of small records, none of them in a cycle
    for library in ("torch", "transformers", "peft", "trl", "accelerate"):
        warnings.filterwarnings("ignore", module=library)  # notes from one library to another, which no user can act on
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except HarnessError as problem:
        if "--debug" in sys.argv:
            raise
        print(f"error: {problem}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped. What was stored is kept.", file=sys.stderr)  # noqa: T201
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone: nothing is left to say
        sys.exit(0)


def _stop(signal_number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
