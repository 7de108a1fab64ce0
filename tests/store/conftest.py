import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.records.runs import Run
from harness.store.ledger import Ledger
from harness.store.migrate import open_ledger
from harness.store.runs import start_run

STARTED = datetime(2026, 11, 21, 6, 49, 12, 345678, tzinfo=UTC)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return open_ledger(tmp_path_factory.mktemp("migrated"), create=True).path


@pytest.fixture
def ledger(tmp_path: Path, migrated: Path) -> Ledger:
    home = tmp_path / "home"
    home.mkdir()
    # A copy, since migrating takes longer than most tests.
    shutil.copy(migrated, home / migrated.name)
    return Ledger(home / migrated.name)


@pytest.fixture
def make_run():
    def make(run_id: str = "20261121-064912-3fa9c1", **changes: object) -> Run:
        fields: dict[str, object] = {
            "experiment": "icd10-coding",
            "experiment_id": "e" * 64,
            "system": "lora",
            "inputs_hash": "i" * 64,
            "golden_set": "icd10_coding",
            "golden_version": "1.0",
            "golden_sha256": "g" * 64,
            "system_config": {"finetune": {"learning_rate": 1e-3, "note": "it's «déjà vu»"}},
            "provenance": {"git": None, "seeds": [17]},
            "started_at": STARTED,
        }
        return Run(run_id=run_id, **{**fields, **changes})

    return make


@pytest.fixture
def fresh_run(ledger: Ledger, make_run) -> Callable[[], str]:
    numbers = iter(range(10**6))

    def start() -> str:
        run_id = f"run-{next(numbers)}"
        start_run(ledger, make_run(run_id))
        return run_id

    return start


@pytest.fixture
def python() -> str:
    return sys.executable
