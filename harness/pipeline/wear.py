"""How worn a golden set is: who has been judged on it, and how often its sealed items have been looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from harness.assets import golden_set_folder
from harness.config.experiment import BASE
from harness.config.policy import Policy
from harness.data.golden import load_golden_set
from harness.decision.looks import MOST_RISK, false_pass_risk, look_notes, number_look, read_golden, risk_words
from harness.decision.looks import worn_warning as warning_of
from harness.errors import StoreError
from harness.records.evidence import Evidence
from harness.records.items import GoldenSet
from harness.records.runs import RunState
from harness.records.verdicts import Verdict
from harness.store.golden import golden_items
from harness.store.ledger import WAIT_S, Ledger
from harness.store.looks import looks_at, opened, verdicts_on
from harness.store.migrate import open_ledger
from harness.store.runs import runs


@dataclass(frozen=True, kw_only=True, slots=True)
class Wear:
    """What a golden set has been used for, over all versions that share items with it.

    `judged` counts the different candidates (adapters, else runs) of `verdicts` verdicts on its development items.
    `looks` are verdicts that read sealed scores, repeated ones left out, of `looked_at` different candidates. `risk` is
    the most that the chance can be that any candidate without a gain has passed by them, in [0, 1]. `opened` counts the
    sealed items that a run has answered while they were not sealed.
    """

    sealed_items: int
    judged: int
    verdicts: int
    looks: int
    looked_at: int
    risk: float
    most_risk: float
    opened: int = 0

    @property
    def warning(self) -> str | None:
        """That the sealed items cannot be trusted, having been looked at too often or seen before; None where not."""
        worn = warning_of(self.looks, self.risk, self.most_risk) if self.risk > self.most_risk else None
        known = None
        if self.opened:
            known = (
                f"{self.opened} of {self.sealed_items} sealed items {'has' if self.opened == 1 else 'have'} been "
                "answered unsealed, and the scores could be chosen by. Seal items that no run has answered."
            )
        return " ".join(one for one in (worn, known) if one) or None

    @property
    def sentence(self) -> str:
        """The wear in one sentence."""
        if self.sealed_items:
            if not self.looks:
                return f"{self.sealed_items} sealed items, which no gate has looked at yet"
            judged = f"{_candidates(self.looked_at)} judged on {self.sealed_items} sealed items"
            return f"{judged}; {risk_words(self.looks, self.risk)}"
        if not self.verdicts:
            return "no candidate has been judged on this set yet"
        count = f"{self.verdicts} verdict{'s' if self.verdicts != 1 else ''}"
        return f"{_candidates(self.judged)} judged on this set ({count}); the same items every time, as none is sealed"


def wear_of(ledger: Ledger, golden_set: GoldenSet, *, most_risk: float | None = None) -> Wear:
    """The wear of a golden set by the ledger's verdicts.

    Args:
        ledger: Where verdicts are.
        golden_set: The set as it is now.
        most_risk: Above which chance of a lucky pass it warns, in (0, 1); None for 0.1.
    """
    development = verdicts_on(ledger, [item.item_hash for item in golden_set.part("development")], part="development")
    judged = [one for one in development if one.look is None and read_golden(one)]
    sealed = golden_set.part("sealed")
    looks = [one for one in looks_at(ledger, [item.item_hash for item in sealed]) if one.look and not one.look.repeats]
    return Wear(
        sealed_items=len(sealed),
        judged=len({one.adapter_sha256 or one.run_id for one in judged}),
        verdicts=len(judged),
        looks=len(looks),
        looked_at=len({one.adapter_sha256 or one.run_id for one in looks}),
        risk=false_pass_risk([one.confidence for one in looks]),
        most_risk=MOST_RISK if most_risk is None else most_risk,
        opened=opened(ledger, [item.item_hash for item in sealed]),
    )


def wear_in(home: Path, golden_set: GoldenSet, *, policy: Policy | None = None, wait_s: float = WAIT_S) -> Wear | None:
    """As `wear_of`, by the ledger of a home folder and with the policy's limit; None where there is no ledger."""
    try:
        ledger = open_ledger(home, create=False, wait_s=wait_s)
    except StoreError:
        return None
    return wear_of(ledger, golden_set, most_risk=policy.sealed_risk if policy else None)


def named_set_wear(name: str, home: Path) -> list[str]:
    """What a golden set's wear is, for the command line: a sentence, a warning where it is due; empty without a ledger.

    Args:
        name: As an experiment names it; a path is relative to the current folder.
        home: Where verdicts are.

    Raises:
        DataError: The golden set cannot be read.
    """
    return wear_lines(wear_in(home, load_golden_set(golden_set_folder(name, beside=Path.cwd()))))


def wear_lines(wear: Wear | None) -> list[str]:
    """`wear: ...`, and `warning: ...` where sealed items have been looked at too often."""
    if wear is None:
        return []
    return [f"wear: {wear.sentence}", *([f"warning: {wear.warning}"] if wear.warning else [])]


def with_look(ledger: Ledger, verdict: Verdict, policy: Policy, read: Sequence[Evidence], *, by: str) -> Verdict:
    """The verdict as a look, with what must be said of it; as it is where it read no sealed score.

    Args:
        ledger: Where the verdicts before it are. One that is recorded already is numbered as it was then.
        verdict: What was derived.
        policy: What it was derived by.
        read: The evidence of the candidate and of each baseline, the candidate's first.
        by: Who asked for it.
    """
    runs_read = {one.run_id for one in read_golden(verdict)}
    sealed = [one for one in read if one.sealed_items and one.state.run.run_id in runs_read]
    if not sealed:
        return verdict
    hashes = {
        item.item_hash for one in sealed for item in golden_items(ledger, one.state.run.golden_sha256, part="sealed")
    }
    known = looks_at(ledger, hashes)
    earlier = list(takewhile(lambda one: one.verdict_id != verdict.verdict_id, known))
    look = number_look(verdict, earlier, by=by, items=sealed[0].sealed_items)
    notes = look_notes(look, most_risk=policy.sealed_risk or MOST_RISK)
    notes += _selected(ledger, policy, read[0].state, verdict.decided_at)
    return replace(verdict, look=look, notes=(*verdict.notes, *notes))


def _selected(ledger: Ledger, policy: Policy, candidate: RunState, until: datetime) -> list[str]:
    """That the candidate could be chosen among several that had answered the development items."""
    run = candidate.run
    candidates = {
        (state.run.system, state.run.inputs_hash)
        for state in runs(ledger, experiment=run.experiment)
        if state.status == "finished"
        and state.run.golden_sha256 == run.golden_sha256
        and state.run.system not in (BASE, *policy.baselines)
        and (state.ended_at or until) <= until
    }
    if len(candidates) < 2:
        return []
    return [
        f"Selected among {len(candidates)} candidates of {run.experiment} that have answered the development items; "
        "the sealed items had no part in that choice."
    ]


def _candidates(count: int) -> str:
    return f"{count} candidate{'s' if count != 1 else ''}"
