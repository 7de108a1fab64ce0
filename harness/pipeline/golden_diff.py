"""`harness golden diff`: what changed between two versions of a golden set, and which stored runs that concerns."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.assets import golden_set_folder
from harness.config.rubric import load_rubric
from harness.data.golden import load_golden_set
from harness.errors import DataError, as_sentence, nearest
from harness.pipeline.golden_runs import golden_runs, ledger_there
from harness.records.items import GoldenSet, Item
from harness.records.rubric import Rubric
from harness.store.golden import golden_set, golden_versions
from harness.store.migrate import open_ledger

Effect = Literal["evaluate again", "score again", "still valid"]

_FIELDS = (
    *("input", "references", "must_contain", "must_not_contain", "kind", "tags", "group", "difficulty", "source"),
    *("notes", "sealed"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemChange:
    """An item that both versions ask. `is_other` where its hash changed: then its old scores say nothing of it.

    `is_asked_the_same` where the question is as before, so that only what it is scored against changed.
    """

    item_id: str
    fields: tuple[str, ...]
    is_other: bool
    is_asked_the_same: bool

    @property
    def is_moved(self) -> bool:
        """Whether it was sealed, or is so no longer."""
        return "sealed" in self.fields


@dataclass(frozen=True, kw_only=True, slots=True)
class RunEffect:
    """What the change means for a stored run of the older version; of equal runs the latest."""

    run_id: str
    experiment: str
    system: str
    effect: Effect
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SetDiff:
    """The newer version against the older one.

    `added`, `removed` and `unretired` are ids; `retired` says why by id. `settings` are sentences on the name, licence,
    scorers, code list and rubric. `same` counts the items that are the same in both. `runs` are those of the older one,
    None where there is no ledger to look in. `notes` say what is not known.
    """

    older: str
    newer: str
    same: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    retired: Mapping[str, str]
    unretired: tuple[str, ...]
    changed: tuple[ItemChange, ...]
    settings: tuple[str, ...]
    runs: tuple[RunEffect, ...] | None
    notes: tuple[str, ...]

    @property
    def asked_again(self) -> int:
        """Items that no run of the older version has a valid score on."""
        return len(self.added) + len(self.unretired) + sum(one.is_other or one.is_moved for one in self.changed)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Version:
    golden_set: GoldenSet
    rubric: Rubric | None
    is_file: bool

    @property
    def name(self) -> str:
        return f"{self.golden_set.name} {self.golden_set.version}"


def diff_golden_sets(older: str, newer: str, home: Path) -> SetDiff:
    """Compares two versions of a golden set.

    Args:
        older: A folder, a name as an experiment gives it, or `NAME@VERSION` for a version that the ledger holds.
        newer: The same.
        home: Where the ledger is; it need not exist where both are files.

    Raises:
        DataError: A golden set cannot be read, or the ledger does not hold the version; or both have one version and
            other items.
        StoreError: There is no ledger, and a version of it is asked for.
    """
    before, after = (_read(reference, home) for reference in (older, newer))
    ours, theirs = before.golden_set, after.golden_set
    if (ours.name, ours.version) == (theirs.name, theirs.version) and ours.sha256 != theirs.sha256:
        raise DataError(
            f"{older} and {newer} are both {before.name} and hold other items (sha256 {ours.sha256[:12]}, "
            f"{theirs.sha256[:12]}). A version never changes: raise `version` in the manifest of the newer one."
        )
    was, now = ({item.item_id: item for item in one.items} for one in (ours, theirs))
    gone = {item.item_id: item.retired or "" for item in theirs.retired}
    both = [item_id for item_id in was if item_id in now]
    changed = [change for item_id in both if (change := _change(was[item_id], now[item_id]))]
    earlier_retired = {item.item_id for item in ours.retired}
    diff = SetDiff(
        older=before.name,
        newer=after.name,
        same=len(both) - sum(change.is_other or change.is_moved for change in changed),
        added=tuple(one for one in now if one not in was and one not in earlier_retired),
        removed=tuple(one for one in was if one not in now and one not in gone),
        retired={one: why for one, why in gone.items() if one not in earlier_retired},
        unretired=tuple(one for one in now if one in earlier_retired),
        changed=tuple(changed),
        settings=tuple(_settings(before, after)),
        runs=None,
        notes=tuple(_notes(before, after)),
    )
    return _with_runs(diff, before, after, home)


def _read(reference: str, home: Path) -> _Version:
    folder = golden_set_folder(reference, beside=Path.cwd())
    name, at, version = reference.rpartition("@")
    if folder.is_dir() or not at:
        return _Version(golden_set=load_golden_set(folder), rubric=load_rubric(folder), is_file=True)
    ledger = open_ledger(home, create=False)
    held = golden_versions(ledger, name)
    if version not in held:
        hint = as_sentence(nearest(version, held)) if held else f'The ledger holds no golden set "{name}".'
        raise DataError(f'"{reference}": the ledger holds no such version; {hint} Or name a folder.')
    return _Version(golden_set=golden_set(ledger, held[version]), rubric=None, is_file=False)


def _change(was: Item, now: Item) -> ItemChange | None:
    fields = tuple(field for field in _FIELDS if getattr(was, field) != getattr(now, field))
    if not fields:
        return None
    return ItemChange(
        item_id=now.item_id,
        fields=fields,
        is_other=was.item_hash != now.item_hash,
        is_asked_the_same=was.input == now.input,
    )


def _settings(before: _Version, after: _Version) -> list[str]:
    ours, theirs = before.golden_set, after.golden_set
    said = [
        f"{what}: {one}, now {other}."
        for what, one, other in (
            ("name", ours.name, theirs.name),
            ("licence", ours.licence, theirs.licence),
            ("scorers", ", ".join(ours.scorers), ", ".join(theirs.scorers)),
        )
        if one != other
    ]
    codes, now = (one.known_codes or frozenset[str]() for one in (ours, theirs))
    if codes != now:
        said.append(f"code list: {len(now - codes):,} codes more, {len(codes - now):,} fewer.")
    if before.is_file and after.is_file and before.rubric != after.rubric:
        said.append(f"rubric: {_rubric(before.rubric)}, now {_rubric(after.rubric)}. Ratings by two rubrics differ.")
    return said


def _rubric(rubric: Rubric | None) -> str:
    return "none" if rubric is None else f"version {rubric.version} ({rubric.sha256[:12]})"


def _notes(before: _Version, after: _Version) -> list[str]:
    return (
        []
        if before.is_file and after.is_file
        else ["The ledger holds no rubric of a golden set: rubrics were not compared."]
    )


def _with_runs(diff: SetDiff, before: _Version, after: _Version, home: Path) -> SetDiff:
    ledger = ledger_there(home)
    if ledger is None:
        return replace(diff, notes=(*diff.notes, f"{home} holds no ledger: stored runs were not looked at."))
    if before.golden_set.sha256 == after.golden_set.sha256 and not diff.settings:
        return replace(diff, runs=())
    found = golden_runs(ledger, sha256=before.golden_set.sha256)
    effect, words = _effect(diff, before.golden_set, after.golden_set)
    effects = tuple(
        RunEffect(
            run_id=state.run.run_id,
            experiment=state.run.experiment,
            system=state.run.system,
            effect=effect,
            words=words,
        )
        for state in found
    )
    return replace(diff, runs=effects)


def _effect(diff: SetDiff, ours: GoldenSet, theirs: GoldenSet) -> tuple[Effect, str]:
    """What becomes of the runs of the older version: the same for all of them."""
    if diff.asked_again:
        moved = sum(change.is_moved and not change.is_other for change in diff.changed)
        rescored = sum(change.is_other and change.is_asked_the_same for change in diff.changed)
        words = f"{diff.asked_again} of {len(theirs.items)} items have no valid score; {diff.same} have"
        if rescored:
            words += (
                f". Of these, {rescored} changed only in what they are scored against: an answer is stored under the "
                "hash of its item, which covers both, so they are asked again too"
            )
        if moved:
            were = "was" if moved == 1 else "were"
            words += f". Of these, {moved} {were} sealed or unsealed: a score counts only on the side it was made for"
        return "evaluate again", words
    if ours.scorers != theirs.scorers or ours.known_codes != theirs.known_codes:
        return "score again", "every answer is still to the point, but the scorers or their code list are others"
    return "still valid", "every item that is asked has its score"
