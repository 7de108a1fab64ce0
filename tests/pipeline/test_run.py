import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.errors import ComparisonError, ConfigError, ModelError, OverlapError, ProbeError, TrainingError
from harness.models.adapter_folder import adapter_hash
from harness.models.probes import ProbeOutcome
from harness.pipeline.decide import compare_systems
from harness.pipeline.prepare import prepare
from harness.pipeline.recording import recorded
from harness.pipeline.run import run_experiment
from harness.pipeline.show import run_details
from harness.records.runs import Run
from harness.store.generations import generations
from harness.store.migrate import open_ledger
from harness.store.runs import find_run, runs
from harness.store.scores import scores


class SilentProgress:
    """Keeps what is said; its bars are lists of steps."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.phases: dict[str, list[int]] = {}

    def say(self, text: str) -> None:
        self.said.append(text)

    @contextmanager
    def phase(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
        yield self.phases.setdefault(label, []).append


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, experiment_writer: Callable[[Path], Path]) -> tuple[Path, Path]:
    """An experiment folder and the home in which all four of its systems have finished."""
    folder = experiment_writer(tmp_path_factory.mktemp("finished") / "experiment")
    home = folder.parent / "home"
    outcomes = run_experiment(prepare(folder), home, SilentProgress())
    assert {name: outcome.state.status for name, outcome in outcomes.items()} == dict.fromkeys(
        ["zero_shot", "few_shot", "rag", "lora"], "finished"
    )
    return folder, home


def test_every_system_answers_every_item_and_is_scored_on_it(finished: tuple[Path, Path]) -> None:
    folder, home = finished
    prepared = prepare(folder)
    ledger = open_ledger(home, create=False)
    ids = {item.item_id for item in prepared.golden_set.items}
    for state in runs(ledger):
        answered = generations(ledger, state.run.run_id)
        assert {generation.item_id for generation in answered} == ids
        golden = scores(ledger, state.run.run_id, task="golden")
        assert {(score.item_id, score.scorer) for score in golden} == {
            (item_id, scorer.name) for item_id in ids for scorer in prepared.scorers
        }
        assert all(generation.prompt_tokens and generation.prompt_hash for generation in answered)


def test_retrieved_passages_and_their_scores_are_kept_with_each_generation(finished: tuple[Path, Path]) -> None:
    _, home = finished
    ledger = open_ledger(home, create=False)
    rag = next(state for state in runs(ledger) if state.run.system == "rag")
    tomato = next(g for g in generations(ledger, rag.run.run_id) if g.item_id == "item-1")
    assert tomato.passages[0].passage_id == "about-tomato"
    assert tomato.passages[0].score > 0


def test_a_finetuned_run_keeps_its_adapter_curves_probes_and_provenance(finished: tuple[Path, Path]) -> None:
    _, home = finished
    ledger = open_ledger(home, create=False)
    lora = next(state for state in runs(ledger) if state.run.system == "lora")
    details = run_details(home, lora.run.run_id)
    (artifact,) = details.artifacts
    assert artifact.sha256 == adapter_hash(home / artifact.path)
    assert (home / "runs" / lora.run.run_id / "trainer_state.json").is_file()
    assert [point.epoch for point in details.training if point.name == "validation_loss"] == [1.0, 2.0]
    assert {probe.scorer: probe.value for probe in details.probes} == {
        "adapter_active": 1.0,
        "saved_equals_trained": 1.0,
        "same_rendering": 1.0,
    }
    facts = details.state.facts
    assert 0 < facts["loss_token_share"] < 1  # type: ignore[operator]
    assert facts["dtype"] == "float32"
    assert facts["device"] == "cpu"
    assert {"wall_s", "train_s", "generate_s", "train_tokens", "completion_tokens", "peak_memory_bytes"} <= set(facts)
    provenance = lora.run.provenance
    assert provenance["seed"] == 17
    assert provenance["packages"]["torch"]  # type: ignore[index]
    assert provenance["training_sha256"]


def test_finished_systems_are_not_run_again_unless_their_inputs_change(finished: tuple[Path, Path]) -> None:
    folder, home = finished
    outcomes = run_experiment(prepare(folder), home, SilentProgress(), only=["zero_shot"])
    assert outcomes["zero_shot"].reused
    changed = prepare(folder, ("decoding.max_new_tokens=4",))
    outcomes = run_experiment(changed, home, SilentProgress(), only=["zero_shot"])
    assert not outcomes["zero_shot"].reused
    with pytest.raises(ComparisonError, match="no finished run on the current inputs"):
        compare_systems(prepare(folder, ("seed=3",)), home, candidate="lora", against=["zero_shot"])


def test_again_gives_a_second_run_with_the_same_answers(finished: tuple[Path, Path]) -> None:
    folder, home = finished
    ledger = open_ledger(home, create=False)
    outcomes = run_experiment(prepare(folder), home, SilentProgress(), only=["lora"], begin="again")
    second = outcomes["lora"].state.run.run_id
    first = next(state for state in runs(ledger, system="lora") if state.run.run_id != second)
    texts = [
        {generation.item_id: generation.text for generation in generations(ledger, run_id)}
        for run_id in (first.run.run_id, second)
    ]
    assert texts[0] == texts[1]
    hashes = {run_details(home, run_id).artifacts[0].sha256 for run_id in (first.run.run_id, second)}
    assert len(hashes) == 1


def test_an_adapter_trained_elsewhere_answers_as_it_did_in_its_own_run(finished: tuple[Path, Path]) -> None:
    folder, home = finished
    ledger = open_ledger(home, create=False)
    lora = next(state for state in runs(ledger, system="lora") if state.status == "finished")
    elsewhere = folder / "theirs"
    shutil.copytree(home / "runs" / lora.run.run_id / "adapter", elsewhere, dirs_exist_ok=True)
    (elsewhere / "harness.json").unlink()  # as somebody else's trainer would leave it
    text = (folder / "experiment.yaml").read_text()
    brought = folder.parent / "brought"
    shutil.copytree(folder, brought, dirs_exist_ok=True)
    (brought / "experiment.yaml").write_text(text + "  theirs: {adapter: theirs}\n")
    outcomes = run_experiment(prepare(brought), home, SilentProgress(), only=["theirs"])
    theirs = {g.item_id: g.text for g in generations(ledger, outcomes["theirs"].state.run.run_id)}
    assert theirs == {g.item_id: g.text for g in generations(ledger, lora.run.run_id)}


def test_comparisons_are_on_every_metric_and_signed_for_the_candidate(finished: tuple[Path, Path]) -> None:
    folder, home = finished
    report = compare_systems(prepare(folder), home, candidate="lora", against=["zero_shot", "few_shot"])
    assert [(c.metric, c.baseline) for c in report.comparisons] == [
        ("golden/exact_match", "zero_shot"),
        ("golden/exact_match", "few_shot"),
    ]
    for comparison in report.comparisons:
        assert comparison.n == 6
        assert comparison.difference == pytest.approx(comparison.candidate_value - comparison.baseline_value)


def test_a_run_id_may_stand_for_a_system(finished: tuple[Path, Path]) -> None:
    folder, home = finished
    state = next(s for s in runs(open_ledger(home, create=False), system="rag"))
    report = compare_systems(prepare(folder), home, candidate=state.run.run_id[:18], against=["zero_shot"])
    assert report.runs[state.run.run_id[:18]].run.system == "rag"


def test_what_cannot_be_compared_says_why(finished: tuple[Path, Path], tmp_path: Path) -> None:
    folder, home = finished
    with pytest.raises(ComparisonError, match="both sides"):
        compare_systems(prepare(folder), home, candidate="lora", against=["lora"])
    with pytest.raises(ComparisonError, match='did you mean "lora"'):
        compare_systems(prepare(folder), home, candidate="lorra", against=["zero_shot"])
    run_experiment(prepare(folder), tmp_path / "other", SilentProgress(), only=["zero_shot"])
    with pytest.raises(ComparisonError, match="never been run"):
        compare_systems(prepare(folder), tmp_path / "other", candidate="lora", against=["zero_shot"])


def test_a_failing_system_is_recorded_with_its_reason_and_the_others_still_run(
    experiment_folder: Path, tmp_path: Path
) -> None:
    prepared = prepare(experiment_folder, ("systems.lora.finetune.max_length_tokens=8",))
    outcomes = run_experiment(prepared, tmp_path / "home", SilentProgress(), only=["lora", "zero_shot"])
    assert isinstance(outcomes["lora"].problem, TrainingError)
    assert outcomes["lora"].state.status == "failed"
    assert "records that would be cut" in (outcomes["lora"].state.reason or "")
    assert outcomes["zero_shot"].state.status == "finished"


def test_an_interrupted_run_stays_visible(experiment_folder: Path, tmp_path: Path) -> None:
    class Impatient(SilentProgress):
        def say(self, text: str) -> None:
            raise KeyboardInterrupt

        @contextmanager
        def phase(self, label: str, total: int | None) -> Iterator[Callable[[int], None]]:
            raise KeyboardInterrupt
            yield

    prepared = prepare(experiment_folder)
    progress = Impatient()
    progress.say = lambda text: None  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        run_experiment(prepared, tmp_path / "home", progress, only=["zero_shot"])
    (state,) = runs(open_ledger(tmp_path / "home", create=False))
    assert (state.status, state.reason) == ("interrupted", "stopped by Ctrl-C or SIGTERM")


def test_a_failed_probe_is_stored_and_stops_the_run(finished: tuple[Path, Path], tmp_path: Path) -> None:
    _, home = finished
    template = runs(open_ledger(home, create=False))[0].run
    ledger = open_ledger(tmp_path, create=True)
    run = Run(**{field: getattr(template, field) for field in Run.__dataclass_fields__} | {"run_id": "probed"})
    outcome = ProbeOutcome(name="adapter_active", passed=False, detail="KL 0 nats")
    with pytest.raises(ProbeError, match="KL 0 nats"), recorded(run, ledger, tmp_path, SilentProgress()) as log:
        log.record_probes([outcome])
    assert find_run(ledger, "probed").status == "failed"
    (stored,) = scores(ledger, "probed", task="probe")
    assert (stored.value, stored.detail) == (0.0, "KL 0 nats")


def test_a_golden_item_in_the_training_set_is_refused_before_anything_is_written(
    experiment_folder: Path, tmp_path: Path
) -> None:
    with (experiment_folder / "train.jsonl").open("a") as stream:
        stream.write(json.dumps({"prompt": "name the hue of a RIPE tomato", "completion": "Colour: red"}) + "\n")
    with pytest.raises(OverlapError, match="item-1"):
        run_experiment(prepare(experiment_folder), tmp_path / "home", SilentProgress())
    assert not (tmp_path / "home").exists()


def test_an_adapter_of_another_base_is_refused_before_a_model_is_loaded(experiment_folder: Path) -> None:
    adapter = experiment_folder / "theirs"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    (adapter / "harness.json").write_text(json.dumps({"base_model": "another", "base_identity": "f" * 64}))
    with (experiment_folder / "experiment.yaml").open("a") as stream:
        stream.write("  theirs: {adapter: theirs}\n")
    with pytest.raises(ModelError, match="trained on another"):
        prepare(experiment_folder)


def test_more_shots_than_records_is_refused(experiment_folder: Path) -> None:
    with pytest.raises(ConfigError, match="has 24 records"):
        prepare(experiment_folder, ("systems.few_shot.prompt.shots=25",))


def test_inputs_hash_changes_with_what_decides_the_answers_and_with_nothing_else(experiment_folder: Path) -> None:
    def hashes(overrides: Sequence[str] = ()) -> dict[str, str]:
        prepared = prepare(experiment_folder, tuple(overrides))
        return {name: prepared.inputs_hash(system) for name, system in prepared.experiment.systems.items()}

    before = hashes()
    assert hashes(["question=Why?"]) == before
    changed = hashes(["systems.lora.finetune.epochs=5"])
    assert [name for name in before if before[name] != changed[name]] == ["lora"]
    with (experiment_folder / "train.jsonl").open("a") as stream:
        stream.write(json.dumps({"prompt": "What colour is tar?", "completion": "Colour: black"}) + "\n")
    changed = hashes()
    assert [name for name in before if before[name] != changed[name]] == ["few_shot", "lora"]


def test_a_finetuned_system_with_retrieval_learns_from_prompts_with_passages(
    experiment_folder: Path, tmp_path: Path
) -> None:
    prepared = prepare(experiment_folder, ("systems.lora.retriever.top_k=1", "systems.lora.finetune.epochs=1"))
    outcomes = run_experiment(prepared, tmp_path / "home", SilentProgress(), only=["lora"])
    assert outcomes["lora"].problem is None
    details = run_details(tmp_path / "home", outcomes["lora"].state.run.run_id)
    assert {probe.scorer: probe.value for probe in details.probes}["same_rendering"] == 1.0
    tokens = details.state.facts["train_tokens"]
    plain = prepare(experiment_folder, ("systems.lora.finetune.epochs=1",))
    without = run_experiment(plain, tmp_path / "home", SilentProgress(), only=["lora"])["lora"]
    assert tokens > without.state.facts["train_tokens"]  # type: ignore[operator]
