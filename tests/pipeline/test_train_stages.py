"""Training in several stages, in this process: what is recorded, and that an interruption anywhere changes nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.pipeline.prepare import Prepared, prepare
from harness.pipeline.run import run_experiment
from harness.pipeline.show import RunDetails, run_details
from harness.pipeline.stage_facts import span_of, stage_spans, stages_done
from harness.records.runs import TrainingMetric
from harness.store.migrate import open_ledger
from harness.store.runs import runs

STAGES = "[{path: general.jsonl, epochs: 2, learning_rate: 5e-3}, {path: train.jsonl, replay: 0.2}]"
FIRST, SECOND = "fine-tuning, stage 1 of 2", "fine-tuning, stage 2 of 2"


class Stops:
    """Keeps what is said and the steps of each bar; presses Ctrl-C at a sentence, or after some units of a bar."""

    def __init__(self, *, at_sentence: str | None = None, in_phase: str | None = None, after: int = 1) -> None:
        self.said: list[str] = []
        self.phases: dict[str, list[int]] = {}
        self._at_sentence, self._in_phase, self._after = at_sentence, in_phase, after

    def say(self, text: str) -> None:
        self.said.append(text)
        if self._at_sentence and self._at_sentence in text:
            raise KeyboardInterrupt

    @contextmanager
    def phase(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        steps = self.phases.setdefault(label, [])

        def advance(units: int) -> None:
            steps.append(units)
            if label == self._in_phase and sum(steps) >= self._after:
                raise KeyboardInterrupt

        yield advance


def adapter_and_curve(home: Path) -> tuple[object, ...]:
    """What training left: the adapter, the curve's points of validation, and the facts but for times."""
    details = the_run(home)
    curve = [(one.step, one.epoch, one.value) for one in details.training if one.name == "validation_loss"]
    stages = [
        {name: fact for name, fact in one.items() if name != "train_s"} for one in stages_done(details.state.facts)
    ]
    return [artifact.sha256 for artifact in details.artifacts], curve, stages


def the_run(home: Path) -> RunDetails:
    (state,) = runs(open_ledger(home, create=False))
    return run_details(home, state.run.run_id)


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, experiment_writer: Callable[[Path], Path]
) -> tuple[Prepared, Path]:
    """The experiment with two stages, and a home in which its lora system has finished undisturbed."""
    folder = experiment_writer(tmp_path_factory.mktemp("undisturbed") / "experiment")
    general = [{"instruction": f"Say the hue of {one}.", "output": one} for one in ("moss", "sea", "tar", "corn")]
    general += [{"instruction": f"The hue of {one}?", "output": one} for one in ("milk", "iris", "fog", "wood", "mud")]
    (folder / "general.jsonl").write_text("".join(json.dumps(one) + "\n" for one in general))
    prepared, home = prepare(folder, (f"training_set={STAGES}",)), folder.parent / "home"
    assert run_experiment(prepared, home, Stops(), only=["lora"])["lora"].problem is None
    return prepared, home


def test_each_stage_is_recorded_and_their_curves_lie_on_one_axis(undisturbed: tuple[Prepared, Path]) -> None:
    details = the_run(undisturbed[1])
    facts = details.state.facts
    general, task = stages_done(facts)
    # 9 records, 1 set aside, in batches of 8; then 22 records and 4 replayed.
    assert (general["train_records"], general["steps"], general["epochs"]) == (8, 2, 2)
    assert (task["train_records"], task["replayed_records"], task["steps"], task["epochs"]) == (22, 4, 8, 2)
    assert (facts["steps"], facts["epochs"], facts["train_records"], facts["validation_records"]) == (10, 4, 34, 3)
    assert facts["train_tokens"] == general["train_tokens"] + task["train_tokens"]  # type: ignore[operator]
    assert facts["training_format"] == "instruction, prompt_completion"
    assert (general["learning_rate"], task["learning_rate"]) == (5e-3, 1e-2)
    validated = [one for one in details.training if one.name == "validation_loss"]
    assert [(one.step, one.epoch) for one in validated] == [(1, 1.0), (2, 2.0), (6, 3.0), (10, 4.0)]
    assert facts["best_epoch"] == 2 + task["best_epoch"]  # type: ignore[operator]
    assert facts["best_validation_loss"] == task["best_validation_loss"]
    assert "training_sets" in details.state.run.provenance


def test_each_stage_has_a_learning_rate_schedule_of_its_own(undisturbed: tuple[Prepared, Path]) -> None:
    rates = {one.step: one.value for one in the_run(undisturbed[1]).training if one.name == "learning_rate"}
    # Linear: in the second of 2 steps half of 5e-3 is left, in the fifth of the next 8 half of 1e-2.
    assert rates == pytest.approx({2: 2.5e-3, 7: 5e-3})


def test_a_point_of_a_curve_belongs_to_the_stage_in_which_it_was_measured(undisturbed: tuple[Prepared, Path]) -> None:
    details = the_run(undisturbed[1])
    spans = stage_spans(details.state.facts)
    points = [one for one in details.training if one.name == "validation_loss"]
    found = [(span.number, span.own_epoch(one)) for one in points if (span := span_of(one, spans))]
    assert found == [(1, 1.0), (1, 2.0), (2, 1.0), (2, 2.0)]
    assert "general.jsonl, 8 records, 2 of 2 epochs at learning rate 0.005, 2 steps" in spans[0].sentence
    assert "22 records and 4 replayed" in spans[1].sentence


def test_a_training_in_one_stage_has_no_spans() -> None:
    assert stage_spans({"steps": 6}) == []
    assert span_of(TrainingMetric(name="train_loss", value=1.0, step=1, epoch=0.5, at=None), []) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stops", "steps"),
    [
        pytest.param(Stops(at_sentence="stage 1 of 2, best"), {FIRST: [2], SECOND: [1] * 8}, id="after stage 1"),
        pytest.param(Stops(in_phase=SECOND, after=2), {FIRST: [2], SECOND: [1] * 8}, id="in stage 2, no checkpoint"),
        pytest.param(Stops(in_phase=SECOND, after=6), {SECOND: [4, 1, 1, 1, 1]}, id="in stage 2"),
        pytest.param(Stops(at_sentence="stage 2 of 2, best"), {SECOND: [8]}, id="after stage 2"),
    ],
)
def test_a_training_interrupted_anywhere_gives_the_adapter_of_an_undisturbed_one(
    stops: Stops, steps: dict[str, list[int]], undisturbed: tuple[Prepared, Path], tmp_path: Path
) -> None:
    prepared, home = undisturbed
    with pytest.raises(KeyboardInterrupt):
        run_experiment(prepared, tmp_path, stops, only=["lora"])
    progress = Stops()
    outcome = run_experiment(prepared, tmp_path, progress, only=["lora"], begin="resume")["lora"]
    assert outcome.state.status == "finished"
    trained = {label: found for label, found in progress.phases.items() if label != "answering"}
    assert trained == steps
    assert adapter_and_curve(tmp_path) == adapter_and_curve(home)
    left = {file.name for file in (tmp_path / "runs" / outcome.state.run.run_id).iterdir()}
    assert {"adapter", "trainer_state.json", "stage-1-trainer_state.json"} <= left
    assert "checkpoints" not in left


def test_a_damaged_first_stage_is_trained_again_only_where_it_is_needed(
    undisturbed: tuple[Prepared, Path], tmp_path: Path
) -> None:
    prepared, home = undisturbed
    with pytest.raises(KeyboardInterrupt):
        run_experiment(prepared, tmp_path, Stops(in_phase=SECOND, after=2), only=["lora"])
    (state,) = runs(open_ledger(tmp_path, create=False))
    damaged = tmp_path / "runs" / state.run.run_id / "checkpoints" / "stage-1" / "checkpoint-2" / "optimizer.pt"
    damaged.write_bytes(b"")
    progress = Stops()
    run_experiment(prepared, tmp_path, progress, only=["lora"], begin="resume")
    assert any("checkpoint-2 is damaged (optimizer.pt" in said for said in progress.said)
    assert (progress.phases[FIRST], progress.phases[SECOND]) == ([1, 1], [1] * 8)
    assert adapter_and_curve(tmp_path) == adapter_and_curve(home)


def test_a_record_too_long_in_a_later_stage_is_told_before_the_first_is_learned_from(
    undisturbed: tuple[Prepared, Path], tmp_path: Path
) -> None:
    folder = undisturbed[0].experiment.folder
    long = {"prompt": "A very long one? " * 100, "completion": "x"}
    (folder / "long.jsonl").write_text((folder / "train.jsonl").read_text() + json.dumps(long) + "\n")
    progress = Stops()
    prepared = prepare(folder, ("training_set=[general.jsonl, long.jsonl]",))
    outcome = run_experiment(prepared, tmp_path, progress, only=["lora"])["lora"]
    assert f"{folder / 'long.jsonl'}: records that would be cut: 1 problem\n  line 25: " in str(outcome.problem)
    assert progress.phases == {}
