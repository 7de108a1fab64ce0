from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.pipeline.check import estimate_systems, matrix_flops
from harness.pipeline.prepare import Prepared, prepare
from harness.store.golden import record_golden_set
from harness.store.migrate import open_ledger


def _by_name(prepared: Prepared, home: Path):
    return {one.name: one for one in estimate_systems(prepared, list(prepared.experiment.systems.values()), home)}


def test_more_in_the_prompt_is_more_tokens_and_training_costs_most(experiment_folder: Path, tmp_path: Path) -> None:
    estimates = _by_name(prepare(experiment_folder), tmp_path)
    assert estimates["few_shot"].prompt_tokens > estimates["zero_shot"].prompt_tokens
    assert estimates["rag"].prompt_tokens > estimates["zero_shot"].prompt_tokens
    assert estimates["zero_shot"].train_tokens == 0
    assert estimates["lora"].train_tokens > 0
    assert (estimates["lora"].seconds or 0) > (estimates["zero_shot"].seconds or 0)


def test_training_tokens_grow_with_epochs(experiment_folder: Path, tmp_path: Path) -> None:
    two = _by_name(prepare(experiment_folder), tmp_path)["lora"].train_tokens
    four = _by_name(prepare(experiment_folder, ("systems.lora.finetune.epochs=4",)), tmp_path)["lora"].train_tokens
    assert four == pytest.approx(2 * two, abs=2)


def test_a_version_that_the_ledger_holds_with_other_items_is_an_error(experiment_folder: Path, tmp_path: Path) -> None:
    prepared = prepare(experiment_folder)
    other = replace(prepared.golden_set, sha256="0" * 64)
    record_golden_set(open_ledger(tmp_path, create=True), other)
    with pytest.raises(StoreError, match=r"a version never changes\. Raise `version` in manifest\.yaml"):
        _by_name(prepared, tmp_path)


def test_a_hub_model_that_was_never_here_has_no_estimate(experiment_folder: Path, tmp_path: Path) -> None:
    prepared = prepare(experiment_folder, ("base_model=owner/name",))
    assert all(one.seconds is None and "no estimate" in one.basis for one in _by_name(prepared, tmp_path).values())


def test_a_catalog_model_is_estimated_before_it_is_pulled(
    experiment_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "empty"))
    estimates = _by_name(prepare(experiment_folder, ("base_model=smollm2-135m-instruct",)), tmp_path)
    assert all(one.seconds and not one.is_here for one in estimates.values())


def test_nothing_is_written_by_an_estimate(experiment_folder: Path, tmp_path: Path) -> None:
    _by_name(prepare(experiment_folder), tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_the_processor_is_measured_in_floating_point_operations_a_second() -> None:
    assert 1e8 < matrix_flops(size=256, seconds=0.05) < 1e14
