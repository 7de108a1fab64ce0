"""One generation under each scorer of its golden set."""

from collections.abc import Sequence

from harness.errors import EvaluationError
from harness.records.generations import Generation
from harness.records.items import Item
from harness.records.scores import Score, Scorer

TASK = "golden"


def score_generation(scorers: Sequence[Scorer], item: Item, generation: Generation) -> list[Score]:
    """Scores of one generation, one for each scorer in their order.

    A generation that is an error gives `failed` scores without a value. A text that a scorer cannot read gives an
    `unparsed` one with what the scorer declares for that.

    Raises:
        EvaluationError: The generation answers another item, or this one before it was changed.
    """
    if (generation.item_id, generation.item_hash) != (item.item_id, item.item_hash):
        raise EvaluationError(
            f'item "{item.item_id}" ({item.item_hash[:12]}) cannot be scored with an answer to "{generation.item_id}" '
            f"({generation.item_hash[:12]}): only the item that was answered can. Run the system again, or restore the "
            "version of the golden set that it answered."
        )
    return [_score(scorer, item, generation) for scorer in scorers]


def _score(scorer: Scorer, item: Item, generation: Generation) -> Score:
    value: float | None
    if generation.text is None:
        value, status, detail = None, "failed", generation.error
    else:
        mark = scorer.mark(item, generation.text)
        status = "scored" if mark.value is not None else "unparsed"
        value = mark.value if mark.value is not None else scorer.unparsed_value
        detail = mark.detail
    return Score(
        task=TASK,
        item_id=item.item_id,
        item_hash=item.item_hash,
        scorer=scorer.name,
        value=value,
        status=status,
        sample_index=generation.sample_index,
        group=item.group,
        detail=detail,
    )
