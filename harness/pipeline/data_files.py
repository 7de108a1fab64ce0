"""Training sets written anew: in the chat form, or split into folds."""

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from harness.data.cells import cell_text
from harness.data.folds import FOLDS, Fold, deal
from harness.data.golden import GOLDEN_NAME, load_golden_set, read_item
from harness.data.raw_records import Container, RawRecord, read_raw_records
from harness.data.training import read_training_set
from harness.data.training_fields import PASSED_ON
from harness.errors import ConfigError, DataError, nearest, problems_message
from harness.hashing import file_hash
from harness.pipeline.init_choices import choose_scorers
from harness.pipeline.init_files import GoldenPlan, write_golden_set, write_jsonl
from harness.pipeline.init_plan import GOLDEN_SETS, NO_LICENCE
from harness.records.items import Item
from harness.records.training import TrainingFormat, TrainingRecord

SPLIT_NAME = "split.json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversion:
    """A training set written in the chat form. `left_out` are rejected answers, for which that form has no field."""

    out: Path
    sha256: str
    source_sha256: str
    container: Container
    format: TrainingFormat
    records: int
    left_out: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitWishes:
    """How to split.

    Attributes:
        test: Share of the test fold, a proportion in [0, 1); 0 for none.
        validation: Share of the validation fold, likewise.
        seed: Another seed, another split.
        by: A field whose values may not straddle folds, besides `group`, which never does.
        stratify: A field whose values every fold holds in proportion.
        golden: The name of the golden set that the test fold becomes.
    """

    test: Fraction
    validation: Fraction
    seed: int
    by: str | None = None
    stratify: str | None = None
    golden: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FoldFile:
    """One fold as written. `balance` counts the values of the field that was stratified by."""

    file: str
    sha256: str
    records: int
    groups: int
    balance: dict[str, int] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """What `split.json` says. `shares` are proportions in (0, 1]; files are paths in the folder of the split."""

    source: str
    source_sha256: str
    format: TrainingFormat
    records: int
    seed: int
    shares: dict[Fold, float]
    by: str | None
    stratify: str | None
    golden: str | None
    folds: dict[Fold, FoldFile]


def convert(place: Path, out: Path, *, force: bool = False, encoding: str | None = None) -> Conversion:
    """Writes a training set of any format as JSONL in the chat form; the file is there whole, or not at all.

    Raises:
        DataError: The training set cannot be read: all its problems at once.
        ConfigError: `out` is there and `force` is not said, or it cannot be written.
    """
    if out.exists() and not force:
        raise ConfigError(f"{out}: is there already, and nothing is overwritten. Add --force, or name another file.")
    if out.is_dir() or (out.exists() and place.exists() and out.samefile(place)):
        raise ConfigError(f"{out}: this is a folder or the source itself. Name another file.")
    raw = read_raw_records(place, encoding=encoding)
    training_set = read_training_set(raw)
    scratch = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        pairs = zip(raw.records, training_set.records, strict=True)
        write_jsonl(scratch, (_as_chat(one, record) for one, record in pairs))
        scratch.replace(out)
    except OSError as problem:
        raise ConfigError(f"{out}: cannot be written ({problem.strerror}). Name another file.") from problem
    finally:
        scratch.unlink(missing_ok=True)
    return Conversion(
        out=out,
        sha256=file_hash(out),
        source_sha256=training_set.sha256,
        container=raw.container,
        format=training_set.format,
        records=len(training_set.records),
        left_out=sum(record.rejected is not None for record in training_set.records),
    )


def _as_chat(raw: RawRecord, record: TrainingRecord) -> dict[str, object]:
    turns = [{"role": turn.role, "content": turn.content} for turn in record.prompt]
    passed_on = {name: raw.value[name] for name in PASSED_ON if raw.value.get(name) is not None}
    return {"messages": [*turns, {"role": "assistant", "content": record.completion}], **passed_on}


def split(place: Path, out: Path, wishes: SplitWishes) -> Split:
    """Splits a training set into folds, written into the new folder `out` as JSONL with the fields of the source.

    The same source and wishes give the same bytes. A golden set takes the place of `test.jsonl`.

    Raises:
        DataError: The training set cannot be read, or cannot be split so.
        ConfigError: The wishes contradict each other, or `out` is taken.
    """
    shares = _shares(wishes)
    raw = read_raw_records(place)
    training_set = read_training_set(raw)
    pairs = list(zip(raw.records, training_set.records, strict=True))
    strata = [value or "" for value in _values(raw.records, wishes.stratify, "--stratify", needed=True)]
    together = _values(raw.records, wishes.by, "--by", needed=False)
    dealt = deal(training_set.records, shares=shares, seed=wishes.seed, strata=strata, together=together)
    folds: dict[Fold, FoldFile] = {}
    with _new_folder(out) as scratch:
        for fold, indices in dealt.items():
            chosen = [pairs[index] for index in indices]
            if fold == "test" and wishes.golden:
                file = f"{GOLDEN_SETS}/{wishes.golden}/{GOLDEN_NAME}"
                made_from = f"the test fold of {place.name} (seed {wishes.seed})"
                _write_golden((scratch / file).parent, wishes.golden, made_from, chosen)
            else:
                file = f"{fold}.jsonl"
                write_jsonl(scratch / file, (one.value for one, _ in chosen))
            folds[fold] = FoldFile(
                file=file,
                sha256=file_hash(scratch / file),
                records=len(chosen),
                groups=len({record.group for _, record in chosen} - {None}),
                balance=dict(sorted(Counter(strata[index] for index in indices).items())) if strata else None,
            )
        done = Split(
            source=place.name,
            source_sha256=training_set.sha256,
            format=training_set.format,
            records=len(pairs),
            seed=wishes.seed,
            shares={fold: float(share) for fold, share in shares.items()},
            by=wishes.by,
            stratify=wishes.stratify,
            golden=wishes.golden,
            folds=folds,
        )
        text = json.dumps(asdict(done), indent=2, ensure_ascii=False) + "\n"
        (scratch / SPLIT_NAME).write_text(text, encoding="utf-8", newline="\n")
    return done


def _shares(wishes: SplitWishes) -> dict[Fold, Fraction]:
    held_out = {"validation": wishes.validation, "test": wishes.test}
    for name, share in held_out.items():
        if not 0 <= share < 1:
            raise ConfigError(f"--{name} {float(share):g} is not a share; write a proportion from 0 to below 1.")
    train = 1 - wishes.validation - wishes.test
    if not 0 < train < 1:
        raise ConfigError(
            f"--test {float(wishes.test):g} and --validation {float(wishes.validation):g} leave {float(train):g} to "
            "train on. Ask for one of them at least, and for less than 1 together."
        )
    if wishes.golden is not None and (not wishes.test or not _NAME.fullmatch(wishes.golden)):
        raise ConfigError(
            f'--golden "{wishes.golden}" needs a test fold and a name of letters, digits, _ . - that begins with a '
            "letter or digit. Give --test a share above 0, or another name."
        )
    shares: dict[Fold, Fraction] = {"train": train, "validation": wishes.validation, "test": wishes.test}
    return {fold: shares[fold] for fold in FOLDS if shares[fold]}


def _values(records: Sequence[RawRecord], field: str | None, option: str, *, needed: bool) -> list[str | None]:
    """What each record says in a field, as text; nothing where no field is named.

    Raises:
        DataError: No record has the field, or, where it is needed, some do not; or its values are not text or numbers.
    """
    if field is None:
        return []
    values = [None if one.value.get(field) is None else cell_text(one.value[field]) for one in records]
    if not any(field in one.value for one in records):
        known = dict.fromkeys(name for one in records for name in one.value)
        raise DataError(f'{option} "{field}" is a field of no record; {nearest(field, known)}')
    problems = [
        f'{one.place}: "{field}" is missing or neither text nor a number.'
        for one, value in zip(records, values, strict=True)
        if value is None and (needed or one.value.get(field) is not None)
    ]
    if problems:
        raise DataError(
            problems_message(f"{option} {field}: write it in every record, or name another field", problems)
        )
    return values


def _write_golden(folder: Path, name: str, made_from: str, pairs: Sequence[tuple[RawRecord, TrainingRecord]]) -> None:
    lines = [_as_item(raw, record) for raw, record in pairs]
    items: list[Item] = []
    problems: list[str] = []
    for (raw, _), line in zip(pairs, lines, strict=True):
        item, found = read_item(line)
        items += [item] if item else []
        problems += [f"{raw.place}: {problem}" for problem in found]
    if problems:
        raise DataError(problems_message(f"the golden set {name}", problems))
    folder.mkdir(parents=True)
    plan = GoldenPlan(name=name, licence=NO_LICENCE, golden_file=made_from, scorers=choose_scorers(items))
    write_golden_set(folder, plan, lines)
    load_golden_set(folder)


def _as_item(raw: RawRecord, record: TrainingRecord) -> dict[str, object]:
    """A golden item; its id is the place of the record in the source."""
    turns = [{"role": turn.role, "content": turn.content} for turn in record.prompt]
    asked: dict[str, object] = {"messages": turns} if len(turns) > 1 else {"input": record.question}
    optional: dict[str, object] = {"group": record.group} if record.group else {}
    for name in ("source", "notes"):
        optional |= {name: raw.value[name]} if isinstance(raw.value.get(name), str) else {}
    if isinstance(tags := raw.value.get("tags"), list):
        optional["tags"] = tags
    return {"item_id": f"record-{record.line:05d}", **asked, "reference": record.completion, **optional}


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `out` when all is written; of a failure nothing is left.

    Raises:
        ConfigError: `out` holds something, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(
            f"{out}: holds something already, and nothing is overwritten. Name a folder that is not there."
        )
    scratch = out.absolute().with_name(f".{out.absolute().name}.{os.getpid()}.part")
    try:
        scratch.mkdir(parents=True)
        yield scratch
        if out.exists():
            out.rmdir()
        scratch.rename(out)
    except OSError as problem:
        raise ConfigError(
            f"{out}: cannot be written ({problem.strerror or problem}). Name another folder."
        ) from problem
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
