"""Where the ledger and the files of campaigns differ: what it has not taken in yet, and what is gone from disk."""

import contextlib
from pathlib import Path

from harness.errors import StoreBusyError, StoreError
from harness.store.migrate import open_ledger
from harness.store.rating_fold import fold_journals
from harness.store.rating_ledger import campaigns
from harness.store.rating_plans import campaign_ids, ratings_folder

_SHORT_WAIT_S = 2.0


def fold_if_free(home: Path) -> str | None:
    """Folds the journals; None when done, else a sentence on why it was left for later.

    Raises:
        StoreError: The ledger cannot be written.
    """
    try:
        fold_journals(home, wait_s=_SHORT_WAIT_S)
    except StoreBusyError:
        return (
            "another process holds the ledger, which takes the newest ratings in later; they are in the journal, and "
            "counted above."
        )
    return None


def lost_campaigns(home: Path) -> tuple[str, ...]:
    """A sentence on campaigns that the ledger has and whose files are gone; empty where there are none.

    A ledger that others hold, or that cannot be read, says nothing.
    """
    lost: list[str] = []
    here = set(campaign_ids(home))
    with contextlib.suppress(StoreError):
        ledger = open_ledger(home, create=False, wait_s=_SHORT_WAIT_S)
        lost = [one.campaign_id for one in campaigns(ledger) if one.campaign_id not in here]
    if not lost:
        return ()
    return (
        f"The ledger has {', '.join(lost)} too, without {'its folder' if len(lost) == 1 else 'their folders'} in "
        f"{ratings_folder(home)}: put that back from a copy of the home to go on. Results of closed campaigns stay in "
        "compare, gate and report, and what was judged in v_ratings.",
    )
