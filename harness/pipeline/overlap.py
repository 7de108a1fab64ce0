"""The overlap guard of an experiment: what is learned may not stand in what is scored, unless somebody answers for it.

Training sets are held against the golden set, and against the regression suite where a system learns.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.config.regression import Suite
from harness.config.system import System
from harness.data.normalise import normalise, normalised_words
from harness.data.overlap import Overlap, find_suite_overlaps, refuse
from harness.data.overlap_index import WHOLE_WORDS, ScoredItem
from harness.errors import OverlapError
from harness.pipeline.marks import Found, learned_overlaps
from harness.pipeline.prepare import Prepared, templates_of
from harness.records.overlaps import Allowance, RunOverlap, Scored
from harness.store.ledger import Ledger
from harness.store.overlaps import record_overlaps

_LETTERS = "ABCD"
_ALLOW = (
    " Or let them be, with --allow-overlap REASON: it records who allows it and why, and every comparison then shows "
    "the figure with and without these items."
)


class _Row(NamedTuple):
    """What a copy of an item would hold: all options of a multiple choice, the true ending of a story."""

    question: str
    options: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Guarded:
    """What the guard found, which is nothing unless `allowance` says who lets it be.

    `golden` and `regression` are by the path of the training set. `regression_items` counts the items of the suite that
    were held against the training sets.
    """

    golden: Found = field(default_factory=dict[str, Sequence[Overlap]])
    regression: Found = field(default_factory=dict[str, Sequence[Overlap]])
    regression_items: int = 0
    allowance: Allowance | None = None

    @property
    def pairs(self) -> int:
        """Pairs of a training record and an item, of the golden set and of the suite."""
        return sum(len(overlaps) for found in (self.golden, self.regression) for overlaps in found.values())

    def record(self, ledger: Ledger, prepared: Prepared, system: System, run_id: str) -> int:
        """Marks the items that a system's run learns from, for every comparison; returns how many pairs are new.

        Raises:
            StoreError: The run is not in the ledger.
        """
        if self.allowance is None or not self.pairs:
            return 0
        hashes = {training_set.path: training_set.sha256 for training_set in prepared.training_sets}
        of_kind: Mapping[Scored, Found] = {"golden": self.golden, "regression": self.regression}
        concerned = [
            RunOverlap(
                scored=scored,
                training_sha256=hashes[path],
                line=one.line,
                item_id=one.item_id,
                kind=one.kind,
                share=one.share,
                allowance=self.allowance,
            )
            for scored, found in of_kind.items()
            for path, overlaps in learned_overlaps(prepared, system, found).items()
            for one in overlaps
        ]
        return record_overlaps(ledger, run_id, concerned) if concerned else 0


def guard(prepared: Prepared, systems: Sequence[System], *, allowance: Allowance | None = None) -> Guarded:
    """Refuses to train on what is scored, unless somebody allows it.

    Of the suite all rows of MMLU's test split and HellaSwag's validation split are looked at, whatever subset it takes.
    Tasks that lm-eval knows by name are not: their rows are elsewhere.

    Args:
        prepared: The experiment.
        systems: Those that will be run; where none of them learns, the suite is not read.
        allowance: Who lets overlaps be, and why.

    Raises:
        OverlapError: There are overlaps that nobody allowed, with each pair of line and item; or the reason is empty.
        DataError: A shipped data file is missing or changed.
    """
    if allowance is not None and not allowance.reason.strip():
        raise OverlapError("--allow-overlap is empty; say in words why these records may be learned all the same.")
    regression, regression_items = _suite_overlaps(prepared, systems)
    suite, golden_set = prepared.experiment.regression, prepared.golden_set
    golden_name = f"golden set {golden_set.name} {golden_set.version}"
    problems = _refusals(
        prepared.overlaps, golden_name, "(or replace the items and raise the version of the golden set)"
    )
    if suite:
        problems += _refusals(regression, f"regression suite {suite.name}", "(or take the task out of the suite)")
    if problems and allowance is None:
        raise OverlapError("\n".join(problems))
    return Guarded(
        golden=prepared.overlaps, regression=regression, regression_items=regression_items, allowance=allowance
    )


def _refusals(found: Found, scored: str, instead: str) -> list[str]:
    problems: list[str] = []
    for path, overlaps in found.items():
        try:
            refuse(overlaps, path=path, scored=scored, instead=instead, otherwise=_ALLOW)
        except OverlapError as problem:
            problems.append(str(problem))
    return problems


def _suite_overlaps(prepared: Prepared, systems: Sequence[System]) -> tuple[Found, int]:
    suite = prepared.experiment.regression
    if suite is None or not prepared.stages or not any(system.finetune for system in systems):
        return {}, 0
    items = suite_items(suite)
    templates = templates_of(prepared.experiment)
    found = {
        training_set.path: find_suite_overlaps(training_set.records, items, templates=templates)
        for training_set in prepared.training_sets
    }
    return {path: overlaps for path, overlaps in found.items() if overlaps}, len(items)


def suite_items(suite: Suite) -> list[ScoredItem]:
    """The items of a suite's shipped tasks, with the texts that would give each away."""
    from harness.evaluation.regression_data import read_hellaswag, read_mmlu

    items: list[ScoredItem] = []
    for entry in suite.tasks:
        match entry.task:
            case "mmlu":
                for subject, rows in read_mmlu("test").items():
                    items += _scored(f"mmlu/{subject}", [_Row(row["question"], row["choices"]) for row in rows])
            case "hellaswag":
                rows = [_Row(row["ctx"], [row["endings"][int(row["label"])]]) for row in read_hellaswag()]
                items += _scored("hellaswag", rows)
            case _:
                pass
    return items


def _scored(prefix: str, rows: Sequence[_Row]) -> list[ScoredItem]:
    """A question gives its item away if it is long and no other item asks it; else only together with its options."""
    counts = Counter(normalise(row.question) for row in rows)
    return [ScoredItem(item_id=f"{prefix}/{index}", texts=_texts(row, counts)) for index, row in enumerate(rows)]


def _texts(row: _Row, counts: Counter[str]) -> tuple[str, ...]:
    words = normalised_words(row.question)
    if len(words) >= WHOLE_WORDS and counts["".join(words)] == 1:
        return (row.question,)
    lettered = [f"{letter}. {option}" for letter, option in zip(_LETTERS, row.options, strict=False)]
    return ("\n".join([row.question, *row.options]), "\n".join([row.question, *lettered]))
