"""The real model. On CI it must be there: `make setup` pulls it, and a missing one is a failure."""

from pathlib import Path

import pytest

from harness.models.pull import catalog_model, pull


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The folder of SmolLM2-135M-Instruct, pulled if it is not there."""
    return pull(catalog_model("smollm2-135m-instruct"), print)
