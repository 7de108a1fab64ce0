"""How stages are called by, and call back to, the pipeline without knowing one another."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.messages import Message
from harness.records.runs import TrainingMetric


class Recorder(Protocol):
    """Where training metrics go as they come."""

    def __call__(self, metrics: Sequence[TrainingMetric]) -> None:
        """Keeps some points of the training curves."""
        ...


class Answerer(Protocol):
    """A system ready to answer: items in, one generation each out, a batch at a time, in any order."""

    def __call__(self, items: Sequence[Item], answered: Collection[str] = ()) -> Iterator[Sequence[Generation]]:
        """Yields each batch as soon as it is there.

        Args:
            items: All that are to be answered, whatever is answered already.
            answered: Ids of items to leave out. A system whose answers depend on what is asked together forms the
                batches of all items, and leaves out whole batches.
        """
        ...


class Ask(Protocol):
    """A model asked for texts: questions in, one generation each out, a batch at a time, in any order."""

    def __call__(
        self, questions: Mapping[str, Sequence[Message]], answered: Collection[str] = ()
    ) -> Iterator[Sequence[Generation]]:
        """Yields each batch as soon as it is there.

        Args:
            questions: All that are asked together, by id, whatever is answered already: the turns, the last one the
                user's. A generation's `item_id` is the question's id.
            answered: Ids of questions to leave out, as for `Answerer`.
        """
        ...


class Progress(Protocol):
    """How long work shows itself: a bar per phase, and sentences in between."""

    def phase(self, label: str, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
        """Opens a bar of `total` units (None: unknown); the value advances it by so many units."""
        ...

    def say(self, text: str) -> None:
        """Shows one sentence."""
        ...
