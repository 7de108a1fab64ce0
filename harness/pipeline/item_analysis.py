"""`harness golden items`: what stored runs say of each item of a golden set: what to fix, and what to retire."""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.assets import golden_set_folder
from harness.config.experiment import load_experiment
from harness.data.golden import load_golden_set
from harness.data.manifest import MANIFEST_NAME
from harness.data.normalise import normalise
from harness.decision.values import collect_values
from harness.errors import ComparisonError, as_sentence, nearest
from harness.evaluation.scorers.registry import scorers_for
from harness.pipeline.golden_runs import experiment_called, golden_runs
from harness.records.items import GoldenSet, Item
from harness.records.runs import RunState
from harness.records.scores import Metric, Score
from harness.stats.item_analysis import FEWEST_RUNS, Discrimination, discrimination
from harness.store.generations import generations
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.scores import metrics, scores

Concern = Literal["never right", "always right", "wrong way", "split", "raters differ"]

RATING = "rating"
_OF_RATINGS = ("overall", ":adjudicated")  # what is made of raters' answers
FEWEST_TO_SAY = 3  # runs before "always" and "never" mean anything
NEAR = 0.05  # runs whose means are no further apart, as a share of the metric's range, are near-equal
FEWEST_PAIRS = 3
MOST_SPLIT = 2 / 3  # two independent runs split on half of the items that each gets right half of the time
RATERS_APART = 0.5  # of the range of the criterion


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemReport:
    """What runs say of one item.

    `right` is the mean over `runs` runs as a share of the metric's range, in [0, 1], 1 being best. `discrimination` is
    None where it is not defined. `split` is the share of the near-equal pairs of runs that score differently on it,
    `raters_apart` the mean distance of the lowest and highest rating of one answer, as a share of the range; None where
    there are none. `advice` is a sentence for each concern.
    """

    item_id: str
    kind: str
    runs: int
    right: float | None
    discrimination: Discrimination | None
    split: float | None
    raters_apart: float | None
    concerns: tuple[Concern, ...]
    advice: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemAnalysis:
    """Every item that is asked of every run, in file order. `runs` maps run ids to `experiment / system`."""

    golden_set: str
    version: str
    metric: str
    runs: Mapping[str, str]
    items: tuple[ItemReport, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What the ledger has: by run its value on each item as a share of the range, its text, and ratings by item."""

    values: Sequence[Mapping[str, float]]
    texts: Sequence[Mapping[str, str]]
    apart: Mapping[str, Sequence[float]]


def analyse_items(name: str, home: Path, *, metric: str | None = None, experiment: str | None = None) -> ItemAnalysis:
    """Looks at each item through the finished runs that answered it, as it is now, in any version of the set.

    Sealed items are left out: nobody looks at what was answered to them.

    Args:
        name: A golden set's name or folder, or an experiment's file or folder, whose runs alone then count.
        home: Where the ledger is.
        metric: Of the golden set; by default the first pass/fail one of its scorers that is not about the format.
        experiment: Only runs of this experiment count.

    Raises:
        DataError: The golden set cannot be read.
        ConfigError: There is no such experiment.
        ComparisonError: There is no such metric, or no run has it.
        StoreError: There is no ledger.
    """
    golden_set, of_experiment = _find(name)
    ledger = open_ledger(home, create=False)
    if experiment is not None:
        of_experiment = experiment_called(experiment, ledger)
    found = golden_runs(ledger, name=golden_set.name, experiment=of_experiment)
    definition = _choose_metric(golden_set, metric, metrics(ledger))
    items = golden_set.part("development")
    every = {state.run.run_id: _shares(ledger, state, definition, items) for state in found}
    values = {run_id: shares for run_id, shares in every.items() if shares}
    if not values:
        where = f" of {of_experiment}" if of_experiment else ""
        raise ComparisonError(
            f"no finished run{where} has {definition.name} on the items of {golden_set.name} {golden_set.version}. "
            "`harness run EXPERIMENT` makes some; `harness golden diff` shows what changed since older ones."
        )
    seen = _Seen(
        values=list(values.values()),
        texts=[_texts(ledger, run_id) for run_id in values],
        apart=_ratings(ledger, list(values), items),
    )
    reports = _reports(items, seen)
    return ItemAnalysis(
        golden_set=golden_set.name,
        version=golden_set.version,
        metric=definition.name,
        runs={one.run.run_id: f"{one.run.experiment} / {one.run.system}" for one in found if one.run.run_id in values},
        items=tuple(reports),
        notes=(*_one_sided(reports), *_notes(golden_set, seen)),
    )


def _find(name: str) -> tuple[GoldenSet, str | None]:
    folder = golden_set_folder(name, beside=Path.cwd())
    if (folder / MANIFEST_NAME).is_file():
        return load_golden_set(folder), None
    if Path(name).is_file() or (Path(name) / "experiment.yaml").is_file():
        experiment = load_experiment(Path(name))
        return load_golden_set(experiment.golden_set), experiment.name
    return load_golden_set(folder), None  # raises, with the path that was looked at


def _choose_metric(golden_set: GoldenSet, asked: str | None, known: Mapping[str, Metric]) -> Metric:
    own = {scorer.metric.name: scorer.metric for scorer in scorers_for(golden_set)}
    if asked is not None:
        if asked not in own:
            hint = as_sentence(nearest(asked, own))
            raise ComparisonError(f'"{asked}" is not a metric of {golden_set.name}; {hint}')
        return known.get(asked, own[asked])
    binary = [one for one in own.values() if one.kind == "binary" and not one.name.endswith("format_valid")]
    return next(iter([*binary, *own.values()]))


def _shares(ledger: Ledger, state: RunState, metric: Metric, items: Sequence[Item]) -> dict[str, float]:
    """The run's value on each item that is the same now, as a share of the metric's range, 1 being best."""
    hashes = {item.item_id: item.item_hash for item in items}
    of_metric = [one for one in scores(ledger, state.run.run_id, task="golden") if one.metric == metric.name]
    values = {
        item_id: one.value
        for item_id, one in collect_values(metric, of_metric).items()
        if one.value is not None and hashes.get(item_id) == one.item_hash
    }
    if not values:
        return {}
    low = 0.0 if metric.kind == "binary" or metric.minimum is None else metric.minimum
    high = 1.0 if metric.kind == "binary" else metric.maximum
    width = (max(values.values()) if high is None else high) - low or 1.0
    shares = {item_id: (value - low) / width for item_id, value in values.items()}
    return shares if metric.direction == "higher_is_better" else {one: 1 - share for one, share in shares.items()}


def _texts(ledger: Ledger, run_id: str) -> dict[str, str]:
    return {one.item_id: one.text for one in generations(ledger, run_id) if one.text and one.sample_index == 0}


def _ratings(ledger: Ledger, run_ids: Sequence[str], items: Sequence[Item]) -> dict[str, list[float]]:
    """By item: for each answer and criterion that two or more people rated, how far apart they are, in [0, 1]."""
    hashes = {item.item_id: item.item_hash for item in items}
    known = metrics(ledger)
    given: dict[tuple[str, str, str], list[Score]] = {}
    for run_id in run_ids:
        for one in scores(ledger, run_id, task=RATING):
            if one.scorer.endswith(_OF_RATINGS) or one.metric not in known:
                continue
            if one.value is not None and hashes.get(one.item_id) == one.item_hash:
                given.setdefault((one.item_id, run_id, one.metric), []).append(one)
    apart: dict[str, list[float]] = {}
    for (item_id, _, metric), rated in given.items():
        low, high = known[metric].minimum, known[metric].maximum
        values = [one.value for one in rated if one.value is not None]
        if len(values) > 1 and low is not None and high is not None and high > low:
            apart.setdefault(item_id, []).append((max(values) - min(values)) / (high - low))
    return apart


def _reports(items: Sequence[Item], seen: _Seen) -> list[ItemReport]:
    rows = [[values.get(item.item_id) for item in items] for values in seen.values]
    pairs = _near_equal(seen.values)
    telling = discrimination(rows)
    reports: list[ItemReport] = []
    for item, told in zip(items, telling, strict=True):
        shares = [values[item.item_id] for values in seen.values if item.item_id in values]
        together = [(one[item.item_id], other[item.item_id]) for one, other in pairs if _both(one, other, item)]
        split = statistics.fmean(abs(one - other) > 1e-9 for one, other in together) if together else None
        apart = seen.apart.get(item.item_id)
        report = ItemReport(
            item_id=item.item_id,
            kind=item.kind,
            runs=len(shares),
            right=math.fsum(shares) / len(shares) if shares else None,
            discrimination=told,
            split=split,
            raters_apart=statistics.fmean(apart) if apart else None,
            concerns=(),
            advice=(),
        )
        reports.append(_advised(report, item, seen, pairs=len(together)))
    return reports


def _both(one: Mapping[str, float], other: Mapping[str, float], item: Item) -> bool:
    return item.item_id in one and item.item_id in other


def _near_equal(values: Sequence[Mapping[str, float]]) -> list[tuple[Mapping[str, float], Mapping[str, float]]]:
    pairs: list[tuple[Mapping[str, float], Mapping[str, float]]] = []
    for one, other in itertools.combinations(values, 2):
        shared = one.keys() & other.keys()
        if shared and abs(math.fsum(one[i] - other[i] for i in shared)) / len(shared) <= NEAR:
            pairs.append((one, other))
    return pairs


def _advised(report: ItemReport, item: Item, seen: _Seen, *, pairs: int) -> ItemReport:
    said: dict[Concern, str] = {}
    told = report.discrimination
    if report.right == 0 and report.runs >= FEWEST_TO_SAY:
        said["never right"] = _never_right(report, item, seen)
    if report.right == 1 and report.runs >= FEWEST_TO_SAY:
        said["always right"] = (
            f"All {report.runs} runs are right: it tells none from another. Keep it against losses, or retire it."
        )
    if told is not None and told.high < 0:
        said["wrong way"] = (
            f"Runs that do better elsewhere do worse here (r {told.value:+.2f}, {told.low:+.2f} to {told.high:+.2f}): "
            "check the reference."
        )
    if report.split is not None and pairs >= FEWEST_PAIRS and report.split > MOST_SPLIT:
        said["split"] = (
            f"Near-equal runs score differently on it in {100 * report.split:.0f} % of {pairs} pairs: its wording may "
            "decide. Reword it, or add references."
        )
    if report.raters_apart is not None and report.raters_apart >= RATERS_APART:
        said["raters differ"] = (
            f"Raters of one answer lie {100 * report.raters_apart:.0f} % of the scale apart: clear up the question or "
            "the rubric."
        )
    return replace(report, concerns=tuple(said), advice=tuple(said.values()))


def _never_right(report: ItemReport, item: Item, seen: _Seen) -> str:
    answers = [normalise(texts[item.item_id]) for texts in seen.texts if item.item_id in texts]
    if len(answers) >= FEWEST_TO_SAY and len(set(answers)) == 1:
        return f"All {len(answers)} runs give one answer, and it is not the reference: check the reference first."
    return (
        f"None of {report.runs} runs is right: check question and reference. If both hold, keep it for better systems."
    )


def _one_sided(reports: Sequence[ItemReport]) -> list[str]:
    """Where most items are alike, the metric or the systems are to be looked at before any item."""
    notes: list[str] = []
    for concern in ("never right", "always right"):
        count = sum(concern in report.concerns for report in reports)
        if 2 * count > len(reports):
            cause = "these systems, or this metric, are" if concern == "never right" else "the set is"
            how = "too weak or too strict" if concern == "never right" else "too easy for these systems"
            notes.append(
                f"{count} of {len(reports)} items are {concern}: {cause} {how}, rather than the items wrong. Look with "
                "another --metric."
            )
    return notes


def _notes(golden_set: GoldenSet, seen: _Seen) -> list[str]:
    notes: list[str] = []
    count = len(seen.values)
    if count < FEWEST_RUNS:
        notes.append(
            f"Discrimination needs {FEWEST_RUNS} runs on different inputs, and there {'is' if count == 1 else 'are'} "
            f"{count}: more systems or training seeds would give them."
        )
    else:
        items = len(golden_set.part("development"))
        notes.append(
            f"Of {items} items about {0.025 * items:.0f} would look as if better runs did worse by chance alone, were "
            f"they all unrelated to the rest; {count} runs are few."
        )
    if not seen.apart:
        notes.append("No ratings yet: what raters disagree on is not known.")
    if sealed := len(golden_set.part("sealed")):
        notes.append(f"{sealed} sealed items are left out: nobody looks at what was answered to them.")
    return notes
