"""The rubric of a campaign, and the questions that are asked where none says them."""

from functools import lru_cache

from harness.config.rubric import read_rubric
from harness.records.rating import Campaign, CampaignKind
from harness.records.rubric import PairwiseForm, Rubric

PAIRWISE_QUESTION = "Which answer is better?"
CLOSING_QUESTION = "One of these systems was fine-tuned on examples of this task. Which answer do you think is its?"
VALIDATE_QUESTION = "Is this record right, as it stands?"


def rubric_of(campaign: Campaign) -> Rubric:
    """The rubric that a campaign fixed."""
    return _read(campaign.rubric_text) if campaign.rubric_text else bare_rubric(campaign.kind)


def bare_rubric(kind: CampaignKind) -> Rubric:
    """What is asked where there is no rubric: which of two answers is better, or whether a record is right."""
    return Rubric(
        name=kind,
        version=1,
        criteria=(),
        critical_question=None,
        pairwise=None if kind == "validate" else PairwiseForm(question=PAIRWISE_QUESTION, by_criterion=False),
        instructions=None,
    )


@lru_cache(maxsize=32)
def _read(text: str) -> Rubric:
    return read_rubric(text, whence="the campaign's rubric")
