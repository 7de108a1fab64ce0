"""What an audit of training data allows: limits for each check, as written in YAML."""

from pathlib import Path
from typing import Literal

import pydantic

from harness.config.named_file import find_named_file
from harness.config.validate import Strict, validate
from harness.config.yaml_file import read_yaml

Level = Literal["hint", "warning", "problem"]


class Limit(Strict):
    """Above `warning` a finding is a warning, above `problem` a problem; None means never.

    Both are held against the check's number: the share of records concerned, as a proportion in [0, 1], or what the
    field of `Limits` says.
    """

    warning: float | None = pydantic.Field(default=None, ge=0)
    problem: float | None = pydantic.Field(default=None, ge=0)

    def level(self, value: float) -> Level:
        """How severe `value` is."""
        if self.problem is not None and value > self.problem:
            return "problem"
        return "warning" if self.warning is not None and value > self.warning else "hint"


class Limits(Strict):
    """A limit for each check.

    All are shares of records, but `balance`: records of the largest class for one of the smallest.
    """

    unreadable_lines: Limit = Limit()
    fields: Limit = Limit()
    formats: Limit = Limit()
    refused_records: Limit = Limit()
    exact_duplicates: Limit = Limit()
    near_duplicates: Limit = Limit()
    contradictions: Limit = Limit()
    golden_overlap: Limit = Limit()
    balance: Limit = Limit()
    lengths: Limit = Limit()
    encoding_damage: Limit = Limit()
    odd_characters: Limit = Limit()
    normal_form: Limit = Limit()
    line_ends: Limit = Limit()
    languages: Limit = Limit()
    personal_data: Limit = Limit()
    secrets: Limit = Limit()
    answer_format: Limit = Limit()
    size: Limit = Limit()


class Thresholds(Strict):
    """`suites/audit/<name>.yaml` as written.

    `near_duplicate_similarity` is the Jaccard similarity of two questions' runs of three words, in (0, 1], from which
    they are near duplicates. `advised_records` are the usual advice for LoRA, fewest and most.
    """

    name: str = pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str
    fail_at: Literal["warning", "problem"] | None = "problem"
    near_duplicate_similarity: float = pydantic.Field(default=0.8, gt=0, le=1)
    advised_records: tuple[int, int] = (500, 1000)
    limits: Limits

    def is_broken_by(self, level: Level) -> bool:
        """Whether one finding of this severity is one too many."""
        return level == "problem" if self.fail_at == "problem" else self.fail_at == "warning" and level != "hint"


def load_thresholds(reference: str, *, beside: Path) -> Thresholds:
    """Reads thresholds.

    Args:
        reference: The name of a file, looked for as `NAME.yaml` in `beside` and then among the shipped ones; or a path
            (something that ends in `.yaml` or `.yml`), relative to `beside`.
        beside: Where the user is.

    Raises:
        ConfigError: There is no such file, or with every problem of it.
    """
    file = find_named_file(reference, key="thresholds", noun="set of thresholds", folder="audit", beside=beside)
    return validate(Thresholds, read_yaml(file))
