"""Training against the regression suite: what is learned may not stand in what shows forgetting."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from harness.config.regression import Suite
from harness.config.system import System
from harness.data.normalise import normalise, normalised_words
from harness.data.overlap import find_suite_overlaps, refuse
from harness.data.overlap_index import WHOLE_WORDS, ScoredItem
from harness.pipeline.prepare import Prepared, templates_of

_LETTERS = "ABCD"


class _Row(NamedTuple):
    """What a copy of an item would hold: all options of a multiple choice, the true ending of a story."""

    question: str
    options: Sequence[str]


def guard_suite(prepared: Prepared, systems: Sequence[System]) -> int:
    """Refuses to train on what a shipped task of the experiment's suite asks.

    Looked at are all rows of MMLU's test split and HellaSwag's validation split, whatever subset the suite takes. Tasks
    that lm-eval knows by name are not: their rows are elsewhere.

    Args:
        prepared: The experiment.
        systems: Those that will be run; where none of them learns, nothing is read.

    Returns:
        How many regression items were held against the training set.

    Raises:
        OverlapError: With each pair of line and item.
        DataError: A shipped data file is missing or changed.
    """
    suite, training_set = prepared.experiment.regression, prepared.training_set
    if suite is None or training_set is None or not any(system.finetune for system in systems):
        return 0
    items = suite_items(suite)
    templates = templates_of(prepared.experiment)
    refuse(
        find_suite_overlaps(training_set.records, items, templates=templates),
        path=training_set.path,
        scored=f"regression suite {suite.name}",
        instead="(or take the task out of the suite)",
    )
    return len(items)


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
