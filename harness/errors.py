"""The one tree of errors that `harness` raises on purpose.

    HarnessError
    ├── ConfigError        what a person wrote in YAML or on the command line
    ├── DataError          golden sets, training sets, corpora
    │   └── OverlapError   training records that stand in the golden set
    ├── ModelError         base models, adapters, checksums, devices
    ├── TrainingError      a training run that cannot go on
    ├── ProbeError         the thing measured is not the thing meant
    ├── EvaluationError    generation, scoring, regression suites
    ├── ComparisonError    what cannot be compared, and why
    ├── RegistryError      promotions, waivers, and the chain that proves them
    ├── RatingError        campaigns of rating
    │   └── LinkError      a personal link that opens nothing (any more)
    └── StoreError         the ledger
        ├── StoreBusyError     somebody else holds it
        ├── DiskFullError      nothing more can be written
        └── StoreVersionError  made by a newer version

A message says what is wrong, the value seen, the values allowed and the next step. Where a file has several
problems, all of them are in one error, a line each. Only the command line catches these.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import Literal


class HarnessError(Exception):
    """Something the user can put right. The message is complete: it is shown without a traceback."""


class ConfigError(HarnessError):
    """An experiment, policy, suite or command-line value that cannot be used."""


class DataError(HarnessError):
    """A golden set, training set or corpus that cannot be used."""


class OverlapError(DataError):
    """Training records that stand in the golden set or in the regression suite."""


class ModelError(HarnessError):
    """A base model, adapter or device that cannot be used."""


class TrainingError(HarnessError):
    """A training run that cannot start or go on."""


class ProbeError(HarnessError):
    """A probe failed: the thing measured is not the thing meant."""


class EvaluationError(HarnessError):
    """Generation, scoring or a regression suite that cannot go on."""


class ComparisonError(HarnessError):
    """Runs that cannot be compared."""


class RegistryError(HarnessError):
    """A promotion, rollback or waiver that is refused, or a registry that does not prove itself."""


class RatingError(HarnessError):
    """A campaign that cannot be opened, extended, closed, exported or added to."""


class LinkError(RatingError):
    """A personal link that opens nothing: not one of ours, too old, taken back, or to a campaign that is over."""

    def __init__(self, message: str, *, why: Literal["forged", "expired", "revoked", "closed"]) -> None:
        super().__init__(message)
        self.why: Literal["forged", "expired", "revoked", "closed"] = why


class StoreError(HarnessError):
    """The ledger cannot be read or written."""


class StoreBusyError(StoreError):
    """Another process holds the ledger longer than the wait allows."""


class DiskFullError(StoreError):
    """The disk, a quota or a limit on the size of files takes no more. What was stored before is intact."""


class StoreVersionError(StoreError):
    """The ledger was made by a newer version of harness."""


def nearest(value: str, allowed: Iterable[str]) -> str:
    """A hint such as `did you mean "reference"?`, or the allowed values when nothing is near.

    Returns:
        One clause without a leading space or closing full stop.
    """
    names = sorted(allowed)
    matches = difflib.get_close_matches(value, names, n=1, cutoff=0.6)
    if matches:
        return f'did you mean "{matches[0]}"?'
    return f"allowed: {', '.join(names)}" if names else "nothing is allowed here"


def as_sentence(clause: str) -> str:
    """A clause such as `nearest` gives, ended so that another sentence may follow."""
    return clause if clause.endswith((".", "?", "!")) else f"{clause}."


def problems_message(subject: str, problems: Sequence[str], *, shown: int = 20) -> str:
    """All problems of one file in one message, a line each.

    Args:
        subject: What has the problems, such as a path.
        problems: One line each.
        shown: How many lines to show before counting the rest.
    """
    head = f"{subject}: {len(problems)} problem{'s' if len(problems) != 1 else ''}"
    lines = [f"  {problem}" for problem in problems[:shown]]
    if len(problems) > shown:
        lines.append(f"  and {len(problems) - shown} more")
    return "\n".join([head, *lines])
