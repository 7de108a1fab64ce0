"""The one place that finds shipped files, in a checkout or in an installed wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent


def shipped(folder: str) -> Path:
    """The folder of shipped files named `suites`, `golden_sets` or `reports`.

    Returns:
        `harness/_shipped/<folder>` of an installed wheel, or `<folder>` at the top of the checkout.
    """
    installed = _PACKAGE / "_shipped" / folder
    return installed if installed.is_dir() else _CHECKOUT / folder


def golden_set_folder(name: str, *, beside: Path) -> Path:
    """Where a golden set called `name` lives.

    Looked for as a path relative to `beside` (the experiment's folder), then as `golden_sets/<name>` in that folder and
    each one above it, then among the shipped sets. Where nothing is found, the first place looked at is returned, so
    that the reader's message names a path the user can make.
    """
    places = [beside / Path(name).expanduser()]
    places += [parent / "golden_sets" / name for parent in (beside, *beside.parents)]
    places.append(shipped("golden_sets") / name)
    return next((place for place in places if place.is_dir()), beside / "golden_sets" / name)
