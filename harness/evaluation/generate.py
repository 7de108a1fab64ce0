"""Items in, generations out, handed on in batches so that a crash loses at most the one in flight."""

from collections.abc import Callable, Collection, Sequence

from harness.errors import EvaluationError
from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.protocols import Answerer

Keep = Callable[[Sequence[Generation]], None]


def generate_answers(answerer: Answerer, items: Sequence[Item], keep: Keep, *, answered: Collection[str] = ()) -> None:
    """Asks `answerer` every item that is not yet answered.

    Args:
        items: All items, those answered already among them: a system may answer in batches of all items.
        keep: Called with each batch as soon as it is there.
        answered: Ids of items whose generations are kept already.

    Raises:
        EvaluationError: The system left items without an answer or an error.
    """
    left = {item.item_id for item in items} - set(answered)
    for batch in answerer(items, answered):
        fresh = [generation for generation in batch if generation.item_id in left]
        if fresh:
            keep(fresh)
        left -= {generation.item_id for generation in fresh}
    if left:
        raise EvaluationError(
            f"{len(left)} items were never answered: {', '.join(sorted(left)[:5])}. Run again with --resume."
        )
