"""The verdicts of an experiment with what was waived and promoted on them, for a page; no model, no torch."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.records.registry import Promotion, Waiver
from harness.records.verdicts import Verdict
from harness.store.ledger import WAIT_S
from harness.store.migrate import open_ledger
from harness.store.registry import promotions, verdicts, waivers


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """Verdicts newest first, and the waivers and promotions that rest on them, oldest first.

    `aliases` says what each alias of the experiment points at now: the last of its promotions.
    """

    verdicts: tuple[Verdict, ...]
    waivers: tuple[Waiver, ...]
    promotions: tuple[Promotion, ...]
    aliases: tuple[Promotion, ...]

    def waivers_of(self, verdict: Verdict, *, now: datetime | None = None) -> dict[str, tuple[Waiver, bool]]:
        """By gate, the waiver of a verdict that holds longest, and whether it still holds."""
        moment = now or datetime.now(UTC)
        found = sorted(
            (waiver for waiver in self.waivers if waiver.verdict_id == verdict.verdict_id),
            key=lambda waiver: waiver.until,
        )
        return {waiver.gate: (waiver, waiver.is_active(moment)) for waiver in found}


def judged(home: Path, experiment: str, *, wait_s: float = WAIT_S) -> Judged:
    """What was decided of an experiment's candidates.

    Raises:
        StoreError: There is no ledger.
        StoreBusyError: Others held it for longer than `wait_s` seconds.
    """
    ledger = open_ledger(home, create=False, wait_s=wait_s)
    decided = [verdict for verdict in verdicts(ledger) if verdict.experiment == experiment]
    known = {verdict.verdict_id for verdict in decided}
    pointed = [promotion for promotion in promotions(ledger) if promotion.verdict_id in known]
    return Judged(
        verdicts=tuple(reversed(decided)),
        waivers=tuple(waiver for waiver in waivers(ledger) if waiver.verdict_id in known),
        promotions=tuple(pointed),
        aliases=tuple({promotion.alias: promotion for promotion in pointed}.values()),
    )
