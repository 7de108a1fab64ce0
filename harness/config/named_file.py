"""Files that an experiment names: one of its own, or one of the shipped ones."""

from pathlib import Path

from harness.assets import shipped
from harness.errors import ConfigError, as_sentence, nearest


def find_named_file(reference: str, *, key: str, noun: str, folder: str, beside: Path) -> Path:
    """Where the file that an experiment names is.

    Args:
        reference: A name, looked for as `NAME.yaml` in `beside` and then among the shipped ones; or a path (something
            that ends in `.yaml` or `.yml`), relative to `beside`, which need not exist.
        key: The experiment's key that names it, for the message.
        noun: What it is, for the message.
        folder: The shipped ones' folder below `suites`.
        beside: The experiment's folder.

    Raises:
        ConfigError: There is no file of that name.
    """
    if reference.endswith((".yaml", ".yml")):
        return (beside / Path(reference).expanduser()).resolve()
    among = shipped("suites") / folder
    for place in (beside / f"{reference}.yaml", among / f"{reference}.yaml"):
        if place.is_file():
            return place
    names = [file.stem for file in among.glob("*.yaml")]
    hint = as_sentence(nearest(reference, names))
    raise ConfigError(
        f'{key}: "{reference}" is not a {noun}; {hint} A {noun} of your own is a path that ends in .yaml, relative to '
        f"{beside}."
    )
