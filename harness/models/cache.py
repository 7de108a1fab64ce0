"""The user's cache folder: what can be made again, shared by all homes."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$HARNESS_CACHE`, or `harness` in the platform's cache folder (`$XDG_CACHE_HOME`, `~/.cache`)."""
    if chosen := os.environ.get("HARNESS_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "harness"
