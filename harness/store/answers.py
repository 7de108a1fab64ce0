"""What a run answered, with the scores that follow; sealed items have tables of their own."""

from collections.abc import Sequence

from harness.records.generations import Generation
from harness.records.items import Part
from harness.records.scores import Score
from harness.store import bulk
from harness.store.generations import GENERATIONS, generation_columns
from harness.store.ledger import Ledger
from harness.store.runs import require_run
from harness.store.scores import SCORES, run_score_columns


def record_answers(
    ledger: Ledger,
    run_id: str,
    generations: Sequence[Generation],
    scores: Sequence[Score],
    *,
    part: Part = "development",
) -> int:
    """Records generations and their scores in one unit, so that neither is without the other; what is there stays.

    Returns:
        How many generations are new.

    Raises:
        StoreError: The run is not in the ledger, or a text has no UTF-8 form.
    """
    with ledger.write() as connection:
        require_run(connection, run_id)
        bulk.insert(connection, SCORES[part], [run_score_columns(run_id, score) for score in scores])
        return bulk.insert(
            connection, GENERATIONS[part], [generation_columns(run_id, generation) for generation in generations]
        )
