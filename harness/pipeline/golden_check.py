"""`harness golden check`: a golden set's items, manifest, rubric, card and scorers, looked over without a model."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.assets import golden_set_folder
from harness.config.rubric import RUBRIC_NAME, load_rubric
from harness.data.fields import show_value
from harness.data.golden import GOLDEN_NAME, GoldenLines, golden_set_of, hash_problem, scan_golden_items
from harness.data.golden_check import SetFinding, check_items, line_of
from harness.data.golden_papers import check_card, check_manifest, findings_of
from harness.data.manifest import MANIFEST_NAME, Manifest
from harness.errors import ConfigError, DataError
from harness.evaluation.scorers.must_contain import must_contain
from harness.evaluation.scorers.registry import scorer_problems, scorers_for
from harness.pipeline.golden_runs import ledger_there
from harness.records.items import GoldenSet, Item
from harness.records.scores import Scorer
from harness.store.golden import version_problem


@dataclass(frozen=True, kw_only=True, slots=True)
class SetCheck:
    """What was found in a golden set: defects first, then hints, each by file and line.

    `name` and `version` are None where the manifest cannot be read. `items` counts those that are asked.
    """

    folder: str
    name: str | None
    version: str | None
    items: int
    retired: int
    defects: tuple[SetFinding, ...]
    hints: tuple[SetFinding, ...]


def check_golden_set(name: str, home: Path) -> SetCheck:
    """Looks at everything of a golden set, all problems at once.

    Args:
        name: As an experiment names it, or a folder; relative to the current folder.
        home: Whose ledger may hold the version already; it need not exist.

    Raises:
        DataError: There is no manifest or no `golden.jsonl`.
        StoreError: There is a ledger that cannot be used.
    """
    folder = golden_set_folder(name, beside=Path.cwd())
    manifest, found = check_manifest(folder)
    lines = scan_golden_items(folder / GOLDEN_NAME)
    found += check_items(lines)
    if manifest is not None:
        found += _against_manifest(folder, manifest, lines, home)
    found += _rubric(folder, manifest)
    found += check_card(folder, manifest)
    asked = sum(item.retired is None for _, item in lines.items)
    ordered = sorted(dict.fromkeys(found), key=_place)
    return SetCheck(
        folder=os.path.relpath(folder) if folder.resolve().is_relative_to(Path.cwd()) else str(folder),
        name=manifest.name if manifest else None,
        version=manifest.version if manifest else None,
        items=asked,
        retired=len(lines.items) - asked,
        defects=tuple(one for one in ordered if one.severity == "defect"),
        hints=tuple(one for one in ordered if one.severity == "hint"),
    )


def _place(finding: SetFinding) -> tuple[bool, str, int]:
    return finding.file != GOLDEN_NAME, finding.file, finding.line or 0


def _against_manifest(folder: Path, manifest: Manifest, lines: GoldenLines, home: Path) -> list[SetFinding]:
    found: list[SetFinding] = []
    if changed := hash_problem(manifest, lines):
        found.append(_finding(GOLDEN_NAME, None, changed))
    try:
        golden_set = golden_set_of(folder, manifest, lines)
    except DataError as problem:
        return [*found, _finding(manifest.code_list or MANIFEST_NAME, None, str(problem))]
    if golden_set.items:
        found += _scorers(golden_set, line_of(lines))
    if problem := _in_ledger(golden_set, home):
        found.append(_finding(MANIFEST_NAME, None, problem))
    return found


def _finding(file: str, line: int | None, words: str) -> SetFinding:
    return SetFinding(file=file, line=line, severity="defect", words=words)


def _scorers(golden_set: GoldenSet, lines: Mapping[str, int]) -> list[SetFinding]:
    """References that the set's own scorers do not give full marks, or cannot read."""
    try:
        problems = scorer_problems(golden_set)
    except ConfigError as unknown:
        return findings_of(MANIFEST_NAME, unknown)
    concerned = {item.item_id: [one for one in problems if _is_of(item, one)] for item in golden_set.items}
    found = [
        _finding(GOLDEN_NAME, lines[item_id], problem) for item_id, listed in concerned.items() for problem in listed
    ]
    of_the_set = [one for one in problems if not any(_is_of(item, one) for item in golden_set.items)]
    found += [_finding(MANIFEST_NAME, None, problem) for problem in of_the_set]
    fine = replace(golden_set, items=tuple(item for item in golden_set.items if not concerned[item.item_id]))
    scorers = () if of_the_set or not fine.items or scorer_problems(fine) else scorers_for(fine)
    phrases = must_contain()
    for item in golden_set.items:
        if item.must_contain or item.must_not_contain:
            found += _short_of(item, lines, [phrases])
    for item in fine.items:
        found += _short_of(item, lines, (scorer for scorer in scorers if scorer.name != phrases.name))
    return found


def _is_of(item: Item, problem: str) -> bool:
    return problem.startswith(f'item "{item.item_id}"')


def _short_of(item: Item, lines: Mapping[str, int], scorers: Iterable[Scorer]) -> list[SetFinding]:
    found: list[SetFinding] = []
    for scorer in scorers:
        for reference in item.references:
            mark = scorer.mark(item, reference)
            if mark.value != _full_marks(scorer):
                why = f" ({mark.detail})" if mark.detail else ""
                words = (
                    f'item "{item.item_id}": {scorer.name} does not give its own reference {show_value(reference)} '
                    f"full marks{why}. Correct the reference, or what it is scored by."
                )
                found.append(_finding(GOLDEN_NAME, lines[item.item_id], words))
    return found


def _full_marks(scorer: Scorer) -> float:
    metric = scorer.metric
    low, high = (metric.minimum or 0.0), (1.0 if metric.maximum is None else metric.maximum)
    return high if metric.direction == "higher_is_better" else low


def _rubric(folder: Path, manifest: Manifest | None) -> Sequence[SetFinding]:
    try:
        rubric = load_rubric(folder)
    except ConfigError as problem:
        return findings_of(RUBRIC_NAME, problem)
    if rubric is None:
        words = "there is none: experts cannot rate answers to this set. A shipped one shows the form."
        return [SetFinding(file=RUBRIC_NAME, line=None, severity="hint", words=words)]
    if manifest is not None and rubric.name != manifest.name:
        words = f'the rubric is called "{rubric.name}", the set "{manifest.name}". Call both the same.'
        return [SetFinding(file=RUBRIC_NAME, line=None, severity="hint", words=words)]
    return []


def _in_ledger(golden_set: GoldenSet, home: Path) -> str | None:
    ledger = ledger_there(home)
    return None if ledger is None else version_problem(ledger, golden_set)
