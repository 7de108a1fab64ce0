"""What could have told raters whose answer they saw: their guesses, lengths, masked names. Sentences, without names."""

from collections.abc import Mapping

from harness.pipeline.describe import has_own_weights
from harness.rating.current import current_judgements
from harness.rating.leaks import guesses, lengths
from harness.records.rating import CampaignState
from harness.records.rating_plan import PlannedItem
from harness.store.ledger import Ledger
from harness.store.runs import find_run


def leak_sentences(ledger: Ledger, state: CampaignState, items: Mapping[str, PlannedItem]) -> tuple[str, ...]:
    """What raters guessed and how much length gives away, for a campaign of two systems or more.

    Args:
        ledger: Says which runs were fine-tuned.
        state: The campaign.
        items: As planned, with the answers that raters see.
    """
    run_ids = sorted(state.campaign.runs.values())
    if len(run_ids) < 2:
        return ()
    tuned = {run_id for run_id in run_ids if has_own_weights(find_run(ledger, run_id).run)}
    said = [guessed.sentence] if (guessed := guesses(current_judgements(state), tuned)) else []
    rated = [items[item_id] for item_id in state.campaign.item_ids if item_id in items]
    characters = {
        run_id: {str(at): len(one.answers[run_id].text) for at, one in enumerate(rated) if run_id in one.answers}
        for run_id in run_ids
    }
    if (found := lengths(characters, tuned)).is_telling:
        said.append(found.sentence)
    answers = [answer for one in rated for answer in one.answers.values()]
    if masked := sum(answer.masked for answer in answers):
        said.append(f"In {masked} of {len(answers)} answers a model's name was masked.")
    return tuple(said)
