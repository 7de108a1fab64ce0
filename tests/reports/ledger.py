"""A small ledger without any model: an experiment `colours` with finished systems, a failed one and hostile text."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from harness.hashing import content_hash
from harness.records.generations import Generation, Passage
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message
from harness.records.regression import Engine, EvaluationInputs, ItemResult
from harness.records.runs import Artifact, Run, RunEvent, TrainingMetric
from harness.records.scores import Metric, Score
from harness.store.artifacts import record_artifact
from harness.store.evaluations import open_evaluation, record_results
from harness.store.generations import record_generations
from harness.store.golden import record_golden_set
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import append_event, start_run
from harness.store.scores import record_metrics, record_scores
from harness.store.training_metrics import record_training_metrics

STARTED = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HOSTILE = (
    "<img src=http://evil.invalid/x onerror=alert(1)> ![x](http://evil.invalid/y.png) <script>alert(2)</script> "
    "<iframe src=http://evil.invalid/z></iframe> [link](http://evil.invalid) http://evil.invalid/auto :red[r] $5 and $6"
)
EXACT = Metric(name="golden/exact_match", kind="binary", description="Share of right answers.")
OVERLAP = Metric(name="golden/overlap", kind="graded")
ACC = Metric(name="regression/mmlu/acc", kind="binary", chance=0.25)
PROBE = Metric(name="probe/adapter_active", kind="binary")
N_ITEMS = 20
# Right answers, an item each.
RIGHT = {
    "zero_shot": "1100" * 5,
    "few_shot": "1101" * 5,
    "lora": "0111" * 5,
}
SUITE = {"base": "1110", "lora": "0111"}
SUBJECTS = ("anatomy", "anatomy", "law", "law")
ZERO, FEW, LORA, BASE, FAILED, STOPPED = (f"20261121-09000{number}-aaaaaa" for number in range(6))

CONFIG = {
    "name": "zero_shot",
    "base_model": "tiny",
    "prompt": {"system": HOSTILE, "template": "{input}", "passages_template": "{passages}\n{input}", "shots": 0},
    "retriever": None,
    "decoding": {"max_new_tokens": 8, "batch_tokens": 64},
    "finetune": None,
    "adapter": None,
    "seed": 17,
    "device": "cpu",
    "dtype": "float32",
    "trust_remote_code": False,
}


def golden_set(changed: str = "") -> GoldenSet:
    """Twenty questions; their notes and the first question hold hostile text."""
    items = tuple(
        Item(
            item_id=f"item-{number:02d}",
            input=(Message(role="user", content=f"Name colour {number}. {HOSTILE if number == 1 else ''}{changed}"),),
            references=(f"Colour: {number}",),
            notes=HOSTILE,
        )
        for number in range(1, N_ITEMS + 1)
    )
    sha256 = content_hash([item.item_hash for item in items])
    return GoldenSet(
        name="colours", version="1.0.0", sha256=sha256, licence="Apache-2.0", items=items, scorers=("exact_match",)
    )


def run_of(system: str, run_id: str, *, minute: int = 0, golden: GoldenSet | None = None, **changes: object) -> Run:
    """A run of a system of `colours`, begun `minute` minutes after nine."""
    golden = golden or golden_set()
    fields: dict[str, object] = {
        "experiment": "colours",
        "experiment_id": "e" * 16,
        "system_config": {**CONFIG, "name": system, "finetune": {"epochs": 2} if system == "lora" else None},
        "provenance": {
            "question": f"Does an adapter name colours better? {HOSTILE}",
            "base_model": {"name": "tiny", "identity": "m" * 64},
            "git": {"revision": "0" * 40, "dirty": False},
        },
    }
    return Run(
        run_id=run_id,
        system=system,
        inputs_hash=content_hash(system),
        golden_set=golden.name,
        golden_version=golden.version,
        golden_sha256=golden.sha256,
        started_at=STARTED + timedelta(minutes=minute),
        **{**fields, **changes},  # type: ignore[arg-type]
    )


def answer(ledger: Ledger, run: Run, marks: str, golden: GoldenSet | None = None) -> None:
    """Stores an answer and its scores for the first items, one for each mark."""
    items = (golden or golden_set()).items[: len(marks)]
    passage = Passage(passage_id="about-<b>colours</b>", text=HOSTILE, score=1.5)
    texts = [
        Generation(
            item_id=item.item_id,
            item_hash=item.item_hash,
            text=f"{run.system} says {HOSTILE}" if item.item_id == "item-01" else f"{run.system} says {mark}",
            finish_reason="stop",
            passages=(passage,),
        )
        for item, mark in zip(items, marks, strict=True)
    ]
    record_generations(ledger, run.run_id, texts)
    values = {"exact_match": 1.0, "overlap": 0.5}
    record_scores(
        ledger,
        run.run_id,
        [
            Score(
                task="golden",
                item_id=item.item_id,
                item_hash=item.item_hash,
                scorer=scorer,
                value=float(mark) * worth,
                detail=f"<b>{mark}</b>",
            )
            for item, mark in zip(items, marks, strict=True)
            for scorer, worth in values.items()
        ],
    )


def finish(ledger: Ledger, run: Run, status: str = "finished", reason: str | None = None, **facts: object) -> None:
    """Ends a run, 30 seconds after it began."""
    at = run.started_at + timedelta(seconds=30)
    event = RunEvent(run_id=run.run_id, status=status, at=at, reason=reason, facts={"wall_s": 30.0, **facts})  # type: ignore[arg-type]
    append_event(ledger, event)


def evaluate(ledger: Ledger, run: Run, marks: str) -> None:
    """Stores an evaluation of the run's weights on four of a thousand items of MMLU."""
    inputs = EvaluationInputs(
        weights="m" * 64,
        adapter_sha256="a" * 64 if run.system == "lora" else None,
        task="mmlu",
        shots=0,
        template_sha256="t" * 64,
        items_sha256="i" * 64,
        dtype="float32",
        engine=Engine(name="lm-eval-hf", version="0"),
    )
    open_evaluation(ledger, run.run_id, inputs, asked="{}", n_items=4, whole_items=1000)
    found = [
        Score(
            task="regression/mmlu",
            item_id=f"mmlu/{subject}/{number}",
            item_hash=content_hash(number),
            scorer="acc",
            value=float(mark),
            stratum=subject,
            detail="chose A, right B",
        )
        for number, (mark, subject) in enumerate(zip(marks, SUBJECTS, strict=True))
    ]
    record_results(ledger, inputs.key, [_result(score) for score in found], found)


def _result(score: Score) -> ItemResult:
    return ItemResult(
        item_id=score.item_id,
        item_hash=score.item_hash,
        stratum=score.stratum,
        group=None,
        gold=1,
        loglikelihoods=(-1.0, -2.0),
        greedy=(True, False),
        option_chars=(1, 1),
        option_bytes=(2, 2),
        values={},
        doc_hash="d" * 64,
        prompt_hash="p" * 64,
        target_hash="t" * 64,
    )


def build(home: Path, *, right: Mapping[str, str] = RIGHT) -> Ledger:
    """Makes the ledger in `home`."""
    ledger = open_ledger(home, create=True)
    record_golden_set(ledger, golden_set())
    record_metrics(ledger, [EXACT, OVERLAP, ACC, PROBE])
    ids = {"zero_shot": ZERO, "few_shot": FEW, "lora": LORA}
    runs = {name: run_of(name, ids[name], minute=number) for number, name in enumerate(right)}
    for name, run in runs.items():
        start_run(ledger, run)
        answer(ledger, run, right[name])
    base = run_of("base", BASE, minute=4)
    start_run(ledger, base)
    for run in (base, runs["lora"]):
        evaluate(ledger, run, SUITE[run.system])
    _train(ledger, runs["lora"])
    for run in (*runs.values(), base):
        finish(ledger, run, **({"best_epoch": 2.0} if run.system == "lora" else {}))
    failed = run_of("rag", FAILED, minute=5)
    start_run(ledger, failed)
    finish(ledger, failed, "failed", f"ProbeError: the corpus is empty {HOSTILE}")
    return ledger


def _train(ledger: Ledger, run: Run) -> None:
    points = {"train_loss": {5: 2.0, 10: 1.0, 15: 0.6, 20: 0.5}, "validation_loss": {10: 1.1, 20: 0.7}}
    curve = [
        TrainingMetric(name=name, value=value, step=step, epoch=step / 10, at=STARTED)
        for name, line in points.items()
        for step, value in line.items()
    ]
    record_training_metrics(ledger, run.run_id, curve)
    probe = Score(
        task="probe",
        item_id="adapter_active",
        item_hash=content_hash("adapter_active"),
        scorer="adapter_active",
        value=1.0,
        detail="KL 3.4 nats",
    )
    record_scores(ledger, run.run_id, [probe])
    record_artifact(ledger, run.run_id, Artifact(kind="adapter", path="runs/x/adapter", sha256="a" * 64, size_bytes=9))
