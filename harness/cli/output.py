"""How commands print: JSON on standard output, tables with rich, progress on standard error."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def print_json(value: object) -> None:
    """Prints `value` as indented JSON, the only thing on standard output. NaN is refused."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def console() -> "Console":
    """Standard output for people; as wide as the terminal, or 140 columns where there is none."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 140, highlight=False, soft_wrap=False)


class TerminalProgress:
    """Bars and sentences on standard error; plain lines where that is not a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False, markup=False)

    def say(self, text: str) -> None:
        """Prints a sentence above any bar."""
        self._console.print(text, soft_wrap=True)

    @contextmanager
    def phase(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """A bar of `total` units, with the time gone and left."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.progress import TimeRemainingColumn as Left

        columns = (
            TextColumn("  {task.description:<14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            Left(),
        )
        with Progress(*columns, console=self._console, refresh_per_second=4) as bars:
            task = bars.add_task(label, total=total)
            yield lambda units: bars.advance(task, units)
