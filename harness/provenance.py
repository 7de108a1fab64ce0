"""What a result depends on besides its inputs: code, packages, machine."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "harness",
    "torch",
    "transformers",
    "peft",
    "trl",
    "accelerate",
    "datasets",
    "tokenizers",
    "bm25s",
    "lm_eval",
    "numpy",
    "scipy",
    "duckdb",
)


def describe_environment(folder: Path) -> dict[str, object]:
    """Git revision of the experiment's folder, package versions, and the machine; a JSON object.

    Args:
        folder: Where the experiment's file is.
    """
    return {
        "git": git_state(folder),
        "packages": package_versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "pid": os.getpid(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def git_state(folder: Path) -> dict[str, object] | None:
    """Revision, and whether anything in the working tree differs from it; None outside a repository or without git."""
    revision = _git(folder, "rev-parse", "HEAD")
    if revision is None:
        return None
    return {"revision": revision, "dirty": bool(_git(folder, "status", "--porcelain"))}


def package_versions() -> dict[str, str | None]:
    """Installed versions of the packages a result depends on; None for one that is not installed."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def _git(folder: Path, *arguments: str) -> str | None:
    hook = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}  # set inside a git hook, for another repository than this one
    environment = {name: value for name, value in os.environ.items() if name not in hook}
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def processor_name() -> str:
    """The processor as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
