"""An open campaign of `rated_project`, and raters with opinions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.pipeline.campaign_open import CampaignRequest, open_campaign
from harness.pipeline.campaigns import campaign_state
from harness.pipeline.rate import record, screen
from harness.records.rating import Campaign
from tests.pipeline.rated import judgement, token_of
from tests.pipeline.rated_project import SYSTEMS

TUNED, PLAIN = "sentinel_tuned", "sentinel_plain"


@dataclass(frozen=True)
class Project:
    """An experiment's folder, and a home with its runs."""

    folder: Path
    home: Path

    def open(self, *runs: str, **asked: object) -> Campaign:
        """Opens a campaign, of all systems where none is named."""
        request = CampaignRequest(
            experiment=self.folder,
            by="owner",
            **{"runs": runs or SYSTEMS, "repeats": 0.0, **asked},  # type: ignore[arg-type]
        )
        return open_campaign(self.home, request)

    def rate(self, campaign: Campaign, rater: str, levels: Mapping[str, int], **answer: object) -> int:
        """A rater goes through it all: a level for each system, and where two are shown the one with the higher level.

        Returns:
            How many screens she judged.
        """
        token, n = token_of(self.home, campaign.campaign_id, rater), 0
        systems = {run_id: system for system, run_id in campaign.runs.items()}
        while (shown := screen(self.home, token)).assignment_id is not None:
            state = campaign_state(self.home, campaign.campaign_id)
            runs = next(one.run_ids for one in state.assignments if one.assignment_id == shown.assignment_id)
            given = [levels.get(systems.get(run, ""), 3) for run in runs]
            said: dict[str, object] = {}
            if shown.kind == "rubric":
                said = {"levels": {"accuracy": given[0], "form": "pass"}, **answer}
            if shown.kind == "pairwise":
                better = "left" if given[0] > given[1] else "right"
                said = {"choice": "tie", "strength": None} if given[0] == given[1] else {"choice": better}
            if shown.kind == "validate":
                said = dict(answer)
            refused = record(self.home, token, [judgement(shown, **said)]).refused
            assert refused == {}, refused
            n += 1
        return n
