"""Runs that end in the middle, in this process: what is stored is not done again, and what is not stored is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.errors import StoreBusyError, TrainingError
from harness.models.adapter_folder import adapter_hash
from harness.pipeline.prepare import Prepared, prepare
from harness.pipeline.resume import describe_unfinished, say_changes, unfinished_run
from harness.pipeline.run import SystemOutcome, run_experiment
from harness.records.runs import RunState
from harness.store.artifacts import artifacts
from harness.store.claims import claimed
from harness.store.generations import generations
from harness.store.migrate import open_ledger
from harness.store.runs import find_run, runs
from harness.store.scores import scores
from harness.store.training_metrics import training_metrics

ONE_BY_ONE = ("decoding.batch_tokens=1",)
STEPS = 6  # of the experiment's lora system: 22 records in batches of 8, twice


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


def interrupt(prepared: Prepared, home: Path, system: str, progress: Stops) -> RunState:
    """Runs a system until `progress` stops it; gives what the ledger then says of the run."""
    with pytest.raises(KeyboardInterrupt):
        run_experiment(prepared, home, progress, only=[system])
    state = runs(open_ledger(home, create=False))[0]
    assert (state.status, state.reason) == ("interrupted", "stopped by Ctrl-C or SIGTERM")
    return state


def resume(prepared: Prepared, home: Path, system: str) -> tuple[SystemOutcome, Stops]:
    progress = Stops()
    return run_experiment(prepared, home, progress, only=[system], begin="resume")[system], progress


def told(home: Path, run_id: str) -> tuple[object, ...]:
    """Everything that a comparison would read of a run, and its adapter."""
    ledger = open_ledger(home, create=False)
    return (
        [(g.item_id, g.text, g.prompt_hash) for g in generations(ledger, run_id)],
        [(s.task, s.item_id, s.scorer, s.value, s.status) for s in scores(ledger, run_id)],
        [(m.name, m.step, m.value) for m in training_metrics(ledger, run_id) if m.name == "validation_loss"],
        [artifact.sha256 for artifact in artifacts(ledger, run_id)],
    )


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory, experiment_writer: Callable[[Path], Path]) -> tuple[Prepared, Path]:
    """The experiment, and a home in which its lora system has finished undisturbed."""
    folder = experiment_writer(tmp_path_factory.mktemp("undisturbed") / "experiment")
    home = folder.parent / "home"
    prepared = prepare(folder, ONE_BY_ONE)
    assert run_experiment(prepared, home, Stops(), only=["lora"])["lora"].problem is None
    return prepared, home


def undisturbed(lora: tuple[Prepared, Path]) -> tuple[object, ...]:
    (state,) = runs(open_ledger(lora[1], create=False))
    return told(lora[1], state.run.run_id)


def test_answering_goes_on_after_the_last_batch_that_was_stored(lora: tuple[Prepared, Path], tmp_path: Path) -> None:
    begun = interrupt(lora[0], tmp_path, "lora", Stops(in_phase="answering", after=2))
    stored = generations(open_ledger(tmp_path, create=False), begun.run.run_id)
    assert len(stored) == 2

    outcome, progress = resume(lora[0], tmp_path, "lora")
    assert outcome.state.run == begun.run  # the same run, as it was begun
    assert outcome.state.status == "finished"
    assert progress.phases == {"answering": [2, 1, 1, 1, 1]}  # neither trained nor asked again
    assert told(tmp_path, begun.run.run_id) == undisturbed(lora)
    kept = generations(open_ledger(tmp_path, create=False), begun.run.run_id)
    assert all(generation in kept for generation in stored)


def test_facts_of_the_process_before_are_kept_and_times_add_up(lora: tuple[Prepared, Path], tmp_path: Path) -> None:
    begun = interrupt(lora[0], tmp_path, "lora", Stops(in_phase="answering", after=2))
    outcome, _ = resume(lora[0], tmp_path, "lora")
    facts = outcome.state.facts
    for fact in ("train_s", "train_tokens", "best_epoch", "best_validation_loss", "loss_token_share", "device"):
        assert facts[fact] == begun.facts[fact]
    assert facts["wall_s"] > begun.facts["wall_s"] > begun.facts["train_s"]  # type: ignore[operator]
    assert facts["resumed"] == 1
    stored = generations(open_ledger(tmp_path, create=False), begun.run.run_id)
    assert facts["completion_tokens"] == sum(generation.completion_tokens or 0 for generation in stored)
    assert facts["prompt_tokens"] == sum(generation.prompt_tokens or 0 for generation in stored)
    assert "pid" not in facts


def test_training_goes_on_from_the_last_epoch(lora: tuple[Prepared, Path], tmp_path: Path) -> None:
    begun = interrupt(lora[0], tmp_path, "lora", Stops(in_phase="fine-tuning", after=4))
    outcome, progress = resume(lora[0], tmp_path, "lora")
    assert progress.phases["fine-tuning"] == [3, 1, 1, 1]
    assert any("going on from checkpoint-3: 3 of 6 steps" in text for text in progress.said)
    assert outcome.state.status == "finished"
    assert told(tmp_path, begun.run.run_id) == undisturbed(lora)
    assert not (tmp_path / "runs" / begun.run.run_id / "checkpoints").exists()
    assert (tmp_path / "runs" / begun.run.run_id / "trainer_state.json").is_file()


def test_a_damaged_checkpoint_is_said_and_training_begins_before_it(
    lora: tuple[Prepared, Path], tmp_path: Path
) -> None:
    begun = interrupt(lora[0], tmp_path, "lora", Stops(in_phase="fine-tuning", after=5))
    (tmp_path / "runs" / begun.run.run_id / "checkpoints" / "checkpoint-3" / "scheduler.pt").write_bytes(b"")
    outcome, progress = resume(lora[0], tmp_path, "lora")
    assert any("checkpoint-3 is damaged (scheduler.pt" in text for text in progress.said)
    assert progress.phases["fine-tuning"] == [1] * STEPS
    assert told(tmp_path, outcome.state.run.run_id) == undisturbed(lora)


def test_a_training_that_was_over_but_not_saved_is_saved_and_probed(
    lora: tuple[Prepared, Path], tmp_path: Path
) -> None:
    interrupt(lora[0], tmp_path, "lora", Stops(at_sentence="best epoch"))
    outcome, progress = resume(lora[0], tmp_path, "lora")
    assert progress.phases["fine-tuning"] == [STEPS]
    assert told(tmp_path, outcome.state.run.run_id) == undisturbed(lora)


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_probed_adapter_is_used_unless_it_is_damaged(
    is_damaged: bool, lora: tuple[Prepared, Path], tmp_path: Path
) -> None:
    begun = interrupt(lora[0], tmp_path, "lora", Stops(at_sentence="probe same_rendering"))
    adapter = tmp_path / "runs" / begun.run.run_id / "adapter"
    if is_damaged:
        (adapter / "adapter_model.safetensors").write_bytes(b"")
    outcome, progress = resume(lora[0], tmp_path, "lora")
    assert progress.phases.get("fine-tuning") == ([STEPS] if is_damaged else None)
    assert any("not as it was recorded" in text for text in progress.said) == is_damaged
    assert told(tmp_path, outcome.state.run.run_id) == undisturbed(lora)
    (artifact,) = artifacts(open_ledger(tmp_path, create=False), begun.run.run_id)
    assert artifact.sha256 == adapter_hash(adapter)


def test_generations_that_were_stored_without_their_scores_get_them(
    lora: tuple[Prepared, Path], tmp_path: Path
) -> None:
    begun = interrupt(lora[0], tmp_path, "zero_shot", Stops(in_phase="answering", after=3))
    ledger = open_ledger(tmp_path, create=False)
    with ledger.write() as connection:
        connection.execute("DELETE FROM scores")
    outcome, _ = resume(lora[0], tmp_path, "zero_shot")
    assert outcome.state.run.run_id == begun.run.run_id
    assert len(scores(ledger, begun.run.run_id, task="golden")) == 6


def test_without_resume_a_new_run_begins_and_the_old_one_is_named(lora: tuple[Prepared, Path], tmp_path: Path) -> None:
    begun = interrupt(lora[0], tmp_path, "zero_shot", Stops(in_phase="answering"))
    progress = Stops()
    outcome = run_experiment(lora[0], tmp_path, progress, only=["zero_shot"])["zero_shot"]
    assert outcome.state.run.run_id != begun.run.run_id
    assert f"run {begun.run.run_id} is interrupted; --resume goes on with it. This is a new run" in progress.said
    # The newer run has finished: the old one is no longer worth going on with.
    again, _ = resume(lora[0], tmp_path, "zero_shot")
    assert again.reused
    assert again.state.run.run_id == outcome.state.run.run_id


def test_other_inputs_are_another_run(lora: tuple[Prepared, Path], tmp_path: Path) -> None:
    begun = interrupt(lora[0], tmp_path, "zero_shot", Stops(in_phase="answering"))
    other = prepare(lora[0].experiment.folder, (*ONE_BY_ONE, "decoding.max_new_tokens=4"))
    outcome, progress = resume(other, tmp_path, "zero_shot")
    assert outcome.state.run.run_id != begun.run.run_id
    assert "no run on these inputs to go on with: this is a new one" in progress.said
    assert find_run(open_ledger(tmp_path, create=False), begun.run.run_id).status == "interrupted"


def test_a_run_that_is_under_way_elsewhere_is_left_alone_and_the_others_go_on(
    lora: tuple[Prepared, Path], tmp_path: Path
) -> None:
    begun = interrupt(lora[0], tmp_path, "zero_shot", Stops(in_phase="answering"))
    with claimed(tmp_path, begun.run.run_id) as claim:
        outcomes = run_experiment(lora[0], tmp_path, Stops(), only=["zero_shot", "few_shot"], begin="resume")
        assert isinstance(outcomes["zero_shot"].problem, StoreBusyError)
        assert f"under way in process {claim.pid}" in str(outcomes["zero_shot"].problem)
        assert outcomes["few_shot"].state.status == "finished"
        progress = Stops()
        new = run_experiment(lora[0], tmp_path, progress, only=["zero_shot"])["zero_shot"]
        assert new.state.status == "finished"
        assert f"run {begun.run.run_id} is under way in process {claim.pid}. This is a new run" in progress.said
    assert find_run(open_ledger(tmp_path, create=False), begun.run.run_id).status == "interrupted"


def test_what_failed_by_itself_is_not_gone_on_with_and_what_was_in_its_way_is(
    lora: tuple[Prepared, Path], tmp_path: Path
) -> None:
    too_long = prepare(lora[0].experiment.folder, ("systems.lora.finetune.max_length_tokens=8",))
    first = run_experiment(too_long, tmp_path, Stops(), only=["lora"])["lora"]
    assert isinstance(first.problem, TrainingError)
    second, _ = resume(too_long, tmp_path, "lora")
    assert second.state.run.run_id != first.state.run.run_id

    class Falls(Stops):
        def phase(self, label: str, total: int | None):
            raise MemoryError

    with pytest.raises(MemoryError):
        run_experiment(lora[0], tmp_path, Falls(), only=["rag"])
    third, _ = resume(lora[0], tmp_path, "rag")
    assert (third.state.status, third.state.facts["resumed"]) == ("finished", 1)


def test_an_again_that_was_interrupted_is_gone_on_with(lora: tuple[Prepared, Path], tmp_path: Path) -> None:
    first, _ = resume(lora[0], tmp_path, "zero_shot")
    with pytest.raises(KeyboardInterrupt):
        run_experiment(lora[0], tmp_path, Stops(in_phase="answering"), only=["zero_shot"], begin="again")
    second, _ = resume(lora[0], tmp_path, "zero_shot")
    assert second.state.run.run_id != first.state.run.run_id
    assert (second.state.status, second.state.facts["resumed"]) == ("finished", 1)


def test_what_changed_since_a_run_began_is_said(lora: tuple[Prepared, Path], tmp_path: Path) -> None:
    begun = interrupt(lora[0], tmp_path, "zero_shot", Stops(in_phase="answering"))
    progress = Stops()
    assert say_changes(begun.run, progress) == []
    assert progress.said == []
    packages = begun.run.provenance["packages"]
    assert isinstance(packages, dict)
    now = packages["torch"]
    packages["torch"] = "1.0.0"
    assert say_changes(begun.run, progress) == [f"torch 1.0.0 is now {now}"]
    assert begun.run.run_id in progress.said[0]


def test_a_run_whose_process_is_gone_is_said_to_be_stopped(lora: tuple[Prepared, Path], tmp_path: Path) -> None:
    begun = interrupt(lora[0], tmp_path, "zero_shot", Stops(in_phase="answering"))
    ledger = open_ledger(tmp_path, create=False)
    with ledger.write() as connection:
        connection.execute("DELETE FROM run_events WHERE status = 'interrupted'")
    found = unfinished_run(ledger, "colours", "zero_shot", begun.run.inputs_hash)
    assert found is not None
    assert found.status == "running"
    assert describe_unfinished(tmp_path, found) == (
        f"run {begun.run.run_id} is stopped (its process is gone); --resume goes on with it."
    )


def test_of_several_unfinished_runs_the_one_that_came_furthest_goes_on(experiment_folder: Path, tmp_path: Path) -> None:
    prepared, home = prepare(experiment_folder, ONE_BY_ONE), tmp_path / "home"
    far = interrupt(prepared, home, "zero_shot", Stops(in_phase="answering", after=4))
    near = interrupt(prepared, home, "zero_shot", Stops(in_phase="answering", after=1))
    assert far.run.run_id != near.run.run_id
    outcome, _ = resume(prepared, home, "zero_shot")
    assert outcome.state.run.run_id == far.run.run_id
    assert outcome.state.status == "finished"
