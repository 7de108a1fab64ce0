"""`harness data augment`: a training set and a plan in, the set with new, marked records out."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.assets import golden_set_folder, shipped
from harness.config.augment import load_plan
from harness.data.augment import Augmented, StepCount, Work, augment
from harness.data.augment_filter import Against
from harness.data.augment_journal import Journal
from harness.data.augment_made import SAID
from harness.data.augment_source import Source, read_source
from harness.data.golden import GOLDEN_NAME, load_golden_set
from harness.data.overlap import find_overlaps, refuse
from harness.errors import ConfigError, DataError, HarnessError, OverlapError
from harness.hashing import file_hash
from harness.pipeline.augment_models import Models
from harness.pipeline.init_files import write_jsonl
from harness.pipeline.prepare import Prepared, prepare, templates_of
from harness.records.items import GoldenSet
from harness.records.protocols import Progress
from harness.records.training import TrainingFormat

_NEVER = "(nothing may be made from what is scored)"


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentRequest:
    """What to augment, by what plan, and where to.

    Attributes:
        file: The training set.
        plan: `augment.yaml`.
        out: The JSONL file to write; the models' answers are kept beside it until it is there, and after.
        rejected: A JSONL file for what was made and dropped, with the reasons.
        experiment: Whose systems are asked, and whose golden set is looked at.
        overrides: `key=value` each, for the experiment, as for `--set`.
        system: The system that is asked by steps that name none.
        golden: A further golden set, a folder or a name.
        seed: In place of the plan's.
        home: Where the adapters of finished runs are.
        force: Whether `out` may be there already.
    """

    file: Path
    plan: Path
    out: Path
    home: Path
    rejected: Path | None = None
    experiment: Path | None = None
    overrides: tuple[str, ...] = ()
    system: str | None = None
    golden: str | None = None
    seed: int | None = None
    force: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Augmentation:
    """What was written. `source_records` are the records of the source that are in `out`: all of them or none."""

    out: str
    sha256: str
    format: TrainingFormat
    source: str
    source_sha256: str
    plan: str
    plan_sha256: str
    seed: int
    records: int
    source_records: int
    new_records: int
    golden_sets: tuple[str, ...]
    steps: tuple[StepCount, ...]
    journal: str | None


def augment_file(request: AugmentRequest, progress: Progress) -> Augmentation:
    """Augments a training set; `out` is there whole, or not at all.

    Raises:
        ConfigError: The plan or the wishes cannot be used, or a file cannot be written.
        DataError: The training set cannot be read, or nothing was kept.
        OverlapError: The training set is a golden set, or overlaps one.
        ModelError: A model that a step asks cannot be had.
    """
    _check_out(request)
    plan = load_plan(request.plan)
    prepared = prepare(request.experiment, request.overrides) if request.experiment is not None else None
    golden_sets = _golden_sets(request, prepared, progress)
    _refuse_golden_file(request.file, golden_sets)
    source = read_source(request.file)
    templates = templates_of(prepared.experiment) if prepared else []
    for golden in golden_sets:
        found = find_overlaps(source.training_set.records, golden.items, templates=templates)
        refuse(found, path=str(request.file), scored=f"golden set {golden.name} {golden.version}", instead=_NEVER)
    against = Against(
        source=source,
        golden_sets=golden_sets,
        similarity=plan.near_duplicate_similarity,
        templates=templates,
        makes_negatives=plan.makes_negatives,
    )
    seed = plan.seed if request.seed is None else request.seed
    journal = request.out.with_name(f"{request.out.name}.journal")
    try:
        work = Work(
            plan=plan,
            seed=seed,
            beside=request.plan.parent,
            against=against,
            model_for=Models(prepared=prepared, system=request.system, home=request.home, say=progress.say),
            journal=Journal(journal),
            phase=progress.phase,
        )
        made = augment(work)
        _write(request, source, against, made)
    except OSError as problem:
        name = problem.filename or request.out
        raise ConfigError(f"{name}: cannot be written ({problem.strerror}). Name another file.") from problem
    kept_source = len(source.originals) if against.keeps_source else 0
    return Augmentation(
        out=str(request.out),
        sha256=file_hash(request.out),
        format="preference" if plan.makes_negatives else source.format,
        source=str(request.file),
        source_sha256=source.training_set.sha256,
        plan=plan.name,
        plan_sha256=file_hash(request.plan),
        seed=seed,
        records=kept_source + len(made.kept),
        source_records=kept_source,
        new_records=len(made.kept),
        golden_sets=tuple(f"{golden.name} {golden.version}" for golden in golden_sets),
        steps=made.counts,
        journal=str(journal) if journal.exists() else None,
    )


def _check_out(request: AugmentRequest) -> None:
    """Nothing is overwritten unasked, and the source never.

    Raises:
        ConfigError: A file that would be written is there, or is one that is read.
    """
    written = [path for path in (request.out, request.rejected) if path is not None]
    read = [path for path in (request.file, request.plan) if path.exists()]
    for path in written:
        if path.is_dir() or (path.exists() and any(path.samefile(one) for one in read)):
            raise ConfigError(f"{path}: this is a folder, or a file that is read here. Name another file.")
        if path.exists() and not request.force:
            raise ConfigError(f"{path}: is there already, and nothing is overwritten. Add --force, or name another.")
    if len({path.absolute() for path in written}) < len(written):
        raise ConfigError(f"{request.out}: --out and --rejected name one file. Name two.")


def _golden_sets(request: AugmentRequest, prepared: Prepared | None, progress: Progress) -> list[GoldenSet]:
    """The golden sets that are named, and every other one that is here: each once, by its content.

    Raises:
        DataError, ConfigError: A set that is named cannot be used. One that merely is here is left out, and said.
    """
    here = Path.cwd()
    found = [prepared.golden_set] if prepared else []
    if request.golden is not None:
        found.append(load_golden_set(golden_set_folder(request.golden, beside=here)))
    for folder in (here / "golden_sets", shipped("golden_sets")):
        for place in sorted(folder.glob(f"*/{GOLDEN_NAME}")):
            if any(file_hash(place) == one.sha256 for one in found):
                continue
            try:
                found.append(load_golden_set(place.parent))
            except HarnessError as problem:
                progress.say(f"golden set {place.parent} cannot be read, and is not looked at: {problem}")
    return list({golden.sha256: golden for golden in found}.values())


def _refuse_golden_file(file: Path, golden_sets: Sequence[GoldenSet]) -> None:
    """Refuses a golden set by its name and by its hash, before it is taken for a training set that cannot be read.

    Raises:
        OverlapError: It is one.
    """
    inside = file / GOLDEN_NAME if file.is_dir() else file
    if not inside.is_file():
        return
    sha256 = file_hash(inside)
    same = next((golden for golden in golden_sets if golden.sha256 == sha256), None)
    if same is not None or inside.name == GOLDEN_NAME:
        which = f"golden set {same.name} {same.version}" if same else "a golden set"
        raise OverlapError(
            f"{inside}: this is {which}. No record may be made from golden items: what is learned from them would make "
            "their scores show memory, not skill. Name a training set."
        )


def _write(request: AugmentRequest, source: Source, against: Against, made: Augmented) -> None:
    """Writes what was dropped, then what was kept.

    Raises:
        DataError: Nothing was kept and nothing of the source goes into the file, so that it would be empty.
        OSError: A file cannot be written.
    """
    if request.rejected is not None:
        listed = ({**asdict(one), "said": SAID[one.reason]} for one in made.dropped)
        _write_whole(request.rejected, list(listed))
    lines = [one.value for one in source.raw.records] if against.keeps_source else []
    lines += [one.value for one in made.kept]
    if not lines:
        reasons = "; ".join(
            f"{count} dropped: {SAID[reason]}" for one in made.counts for reason, count in one.dropped.items()
        )
        raise DataError(f"{request.out}: is not written, as no record was kept ({reasons}). Change the plan.")
    _write_whole(request.out, lines)


def _write_whole(path: Path, lines: Sequence[dict[str, object]]) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_jsonl(scratch, lines)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
