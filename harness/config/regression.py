"""A regression suite: a named list of tasks that show what fine-tuning cost in general ability."""

from pathlib import Path
from typing import Literal

import pydantic

from harness.config.named_file import find_named_file
from harness.config.validate import Strict, validate
from harness.config.yaml_file import read_yaml
from harness.errors import nearest
from harness.hashing import canonical_json

StratumKey = Literal["subject", "answer", "source"]

# What each shipped task can be stratified by, and how many shots there are to show.
_KEYS: dict[str, tuple[StratumKey, ...]] = {"mmlu": ("subject", "answer"), "hellaswag": ("source", "answer")}
_MOST_SHOTS = {"mmlu": 5, "hellaswag": 10}


class Subset(Strict):
    """A fixed part of a task's items: the same `items` for the same `seed`, on every machine.

    Strata are the combinations of `stratify_by`; each gets its proportional share (largest remainder). `subject` is
    MMLU's, `source` is where a HellaSwag item comes from (`activitynet`, `wikihow`), `answer` the position of the
    right option.
    """

    items: int = pydantic.Field(ge=1)
    seed: int
    stratify_by: tuple[StratumKey, ...] = ()


class SuiteTask(Strict):
    """`mmlu`, `hellaswag`, or the name of a task that lm-eval knows and a hub can serve.

    `shots` is the number of solved examples before each item. `subset` of None is every item.
    """

    task: str = pydantic.Field(min_length=1)
    shots: int = pydantic.Field(ge=0)
    subset: Subset | None = None

    @property
    def canonical(self) -> str:
        """The entry as canonical JSON: equal text asks for the same items in the same way."""
        return canonical_json(self.model_dump(mode="json"))

    @pydantic.model_validator(mode="after")
    def _can_be_done(self) -> "SuiteTask":
        most = _MOST_SHOTS.get(self.task)
        if most is not None and self.shots > most:
            raise ValueError(f"{self.task} has {most} examples to show; seen: shots: {self.shots}. Lower shots.")
        allowed = _KEYS.get(self.task, ())
        for key in self.subset.stratify_by if self.subset else ():
            if key not in allowed:
                raise ValueError(f'{self.task} cannot be stratified by "{key}"; {nearest(key, allowed)}')
        return self


class Suite(Strict):
    """`suites/regression/<name>.yaml` as written."""

    name: str = pydantic.Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str
    tasks: tuple[SuiteTask, ...]

    @pydantic.field_validator("tasks")
    @classmethod
    def _each_task_once(cls, tasks: tuple[SuiteTask, ...]) -> tuple[SuiteTask, ...]:
        names = [task.task for task in tasks]
        if not names:
            raise ValueError("is empty; name at least one, such as `- {task: hellaswag, shots: 0}`")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name} stands {names.count(name)} times; its metrics would mix. Keep one of them.")
        return tasks

    @property
    def is_subset(self) -> bool:
        """Whether any task leaves items out: whoever shows the suite's numbers says so."""
        return any(task.subset for task in self.tasks)


def load_suite(reference: str, *, beside: Path) -> Suite:
    """Reads a suite.

    Args:
        reference: The name of a suite, looked for as `NAME.yaml` in `beside` and then among the shipped ones; or a path
            (something that ends in `.yaml` or `.yml`), relative to `beside`.
        beside: The experiment's folder.

    Raises:
        ConfigError: There is no such suite, or with every problem of its file.
    """
    file = find_named_file(reference, key="regression", noun="suite", folder="regression", beside=beside)
    return validate(Suite, read_yaml(file))
