"""An expert as a system: answers from a file, or the golden references, recorded and scored like any other's."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from harness.config.experiment import HUMAN
from harness.data.expert_answers import read_expert_answers
from harness.errors import DataError
from harness.evaluation.scorers.score import score_generation
from harness.hashing import content_hash, new_run_id
from harness.pipeline.evidence import BY_CONSTRUCTION
from harness.pipeline.full_disk import full_disk_explained
from harness.pipeline.prepare import Prepared
from harness.pipeline.recording import recorded
from harness.pipeline.run import SystemOutcome
from harness.provenance import describe_environment
from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.protocols import Progress
from harness.records.runs import Run
from harness.store.answers import record_answers
from harness.store.golden import record_golden_set
from harness.store.migrate import open_ledger
from harness.store.runs import find_run, latest_finished
from harness.store.scores import record_metrics

WRITTEN_ANEW = "Give --answers FILE for answers that an expert wrote without seeing them."


def record_human(
    prepared: Prepared, home: Path, progress: Progress, *, answers: Path | None = None, again: bool = False
) -> SystemOutcome:
    """Records a run named `human` on the golden items that are asked; sealed ones are `record_human_sealed`'s.

    Args:
        prepared: The experiment.
        home: Where the ledger is; made if it is not there.
        progress: Who is told.
        answers: A file as `read_expert_answers` reads it; None for the golden references.
        again: Make a new run though the latest has the same answers.

    Raises:
        DataError: The file cannot be used, or an item has no reference.
        DiskFullError: Nothing more can be written.
        StoreError: The ledger cannot be opened or written.
    """
    items = prepared.golden_set.part("development")
    found = references_of(items) if answers is None else read_expert_answers(answers, items)
    home = home.resolve()
    with full_disk_explained(home):
        ledger = open_ledger(home, create=True)
        record_golden_set(ledger, prepared.golden_set)
        record_metrics(ledger, [scorer.metric for scorer in prepared.scorers])
        done = latest_finished(ledger, prepared.experiment.name, HUMAN, prepared.human_hash())
        digest = content_hash(found)
        if answers is None:
            progress.say(f"{BY_CONSTRUCTION} {WRITTEN_ANEW}")
        if done and not again and done.run.provenance.get("answers_sha256") == digest:
            progress.say(f"recorded already as run {done.run.run_id} with the same answers; --again records it anew")
            return SystemOutcome(state=done, reused=True)
        run = _new_run(prepared, answers, digest)
        with recorded(run, ledger, home, progress) as log:
            written = [
                Generation(item_id=item.item_id, item_hash=item.item_hash, text=found[item.item_id]) for item in items
            ]
            scores = [
                score
                for item, generation in zip(items, written, strict=True)
                for score in score_generation(prepared.scorers, item, generation)
            ]
            record_answers(ledger, run.run_id, written, scores)
            log.facts |= {"answers": len(written)}
    return SystemOutcome(state=find_run(ledger, run.run_id), reused=False)


def references_of(items: Sequence[Item]) -> Mapping[str, str]:
    """The first reference of each item, by item id.

    Raises:
        DataError: An item has none.
    """
    without = [item.item_id for item in items if not item.references]
    if without:
        raise DataError(
            f"{len(without)} items have no reference ({', '.join(without[:5])}), so there is nothing to take for an "
            "expert's answer. Give --answers FILE."
        )
    return {item.item_id: item.references[0] for item in items}


def _new_run(prepared: Prepared, answers: Path | None, digest: str) -> Run:
    golden_set, experiment = prepared.golden_set, prepared.experiment
    return Run(
        run_id=new_run_id(),
        experiment=experiment.name,
        experiment_id=experiment.experiment_id,
        system=HUMAN,
        inputs_hash=prepared.human_hash(),
        golden_set=golden_set.name,
        golden_version=golden_set.version,
        golden_sha256=golden_set.sha256,
        system_config={"name": HUMAN, "answers": answers.name if answers else None},
        provenance={
            **describe_environment(experiment.folder),
            "experiment_folder": str(experiment.folder),
            "question": experiment.question,
            "golden_sha256": golden_set.sha256,
            "answers_sha256": digest,
        },
        started_at=datetime.now(UTC),
    )
