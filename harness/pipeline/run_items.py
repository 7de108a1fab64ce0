"""One run item by item, and how far a run in progress has come; no model, no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.config.experiment import BASE
from harness.pipeline.decide import PROBE
from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.scores import Score
from harness.store.evaluations import evaluations
from harness.store.generations import generations
from harness.store.golden import golden_items
from harness.store.ledger import WAIT_S
from harness.store.migrate import open_ledger
from harness.store.runs import find_run
from harness.store.scores import scores

GOLDEN = "golden"  # the task of a golden set's items


@dataclass(frozen=True, kw_only=True, slots=True)
class RunItem:
    """One item of a run, with its scores by metric.

    `item` is the golden item, None for one of a regression task (whose text the ledger does not hold). `generations`
    are the texts that the run gave for it so far.
    """

    task: str
    item_id: str
    stratum: str | None
    item: Item | None
    generations: tuple[Generation, ...]
    scores: Mapping[str, Score]


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How many of a task's items a run has answered: `golden`, or the name of a regression task."""

    task: str
    n_done: int
    n_items: int


def run_items(home: Path, run_id: str, *, wait_s: float = WAIT_S) -> tuple[RunItem, ...]:
    """Every item of a run that has a score or a generation: golden ones first, in the golden set's order.

    Args:
        home: Where the ledger is.
        run_id: The run's id.
        wait_s: Seconds that each read waits for others.

    Raises:
        StoreError: There is no ledger, or no such run.
        StoreBusyError: Others held it for longer than `wait_s` seconds.
    """
    ledger = open_ledger(home, create=False, wait_s=wait_s)
    run = find_run(ledger, run_id).run
    items = {item.item_id: item for item in golden_items(ledger, run.golden_sha256)}
    answers: dict[str, list[Generation]] = {}
    for generation in generations(ledger, run.run_id):
        answers.setdefault(generation.item_id, []).append(generation)
    scored: dict[tuple[str, str], dict[str, Score]] = {}
    for score in scores(ledger, run.run_id):
        if not score.metric.startswith(PROBE):
            # Of several samples the first: scores come by sample index.
            scored.setdefault((score.task, score.item_id), {}).setdefault(score.metric, score)
    places = {item_id: place for place, item_id in enumerate(items)}
    keys = dict.fromkeys([*((GOLDEN, item_id) for item_id in answers), *scored])
    found = [
        RunItem(
            task=task,
            item_id=item_id,
            stratum=next((score.stratum for score in scored.get((task, item_id), {}).values()), None),
            item=items.get(item_id) if task == GOLDEN else None,
            generations=tuple(answers.get(item_id, ())) if task == GOLDEN else (),
            scores=scored.get((task, item_id), {}),
        )
        for task, item_id in keys
    ]
    return tuple(sorted(found, key=lambda one: (one.task != GOLDEN, one.task, places.get(one.item_id, 0))))


def run_progress(home: Path, run_id: str, *, wait_s: float = WAIT_S) -> tuple[Progress, ...]:
    """How far a run has come, by task: the golden set first (`base` answers none), then the suites it has begun.

    Raises:
        StoreError: There is no ledger, or no such run.
        StoreBusyError: Others held it for longer than `wait_s` seconds.
    """
    ledger = open_ledger(home, create=False, wait_s=wait_s)
    run = find_run(ledger, run_id).run
    progress = [
        Progress(task=one.task, n_done=one.n_done, n_items=one.n_items) for one in evaluations(ledger, run.run_id)
    ]
    if run.system != BASE:
        n_done = len({generation.item_id for generation in generations(ledger, run.run_id)})
        n_items = len(golden_items(ledger, run.golden_sha256))
        progress.insert(0, Progress(task=GOLDEN, n_done=n_done, n_items=n_items))
    return tuple(progress)
