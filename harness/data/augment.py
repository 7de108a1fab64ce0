"""An augmentation: the steps of a plan make records out of a training set, and what is new and sound is kept.

A model reads training records only. That no golden item is among them is the caller's to make sure of.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.config.augment import Origin, Plan, Step
from harness.config.augment_steps import Asked, NegativeStep
from harness.data.augment_checks import SetFacts, facts_of_set
from harness.data.augment_cuts import refusals
from harness.data.augment_filter import Against, keep_new
from harness.data.augment_journal import AskedModel, Journal, Phase
from harness.data.augment_made import REASONS, Candidate, Dropped, Made, Maker, Reason
from harness.data.augment_negatives import answered_as_another, answered_in_wrong_form, answered_wrongly
from harness.data.augment_rewrites import Asking, back_translations, paraphrases
from harness.data.augment_templates import templated
from harness.errors import ConfigError, nearest, problems_message

ModelFor = Callable[[Asked | NegativeStep], AskedModel]
"""The model that a step asks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What an augmentation works with.

    `seed` takes the place of the plan's. `beside` is the plan's folder, which tables are relative to.
    """

    plan: Plan
    seed: int
    beside: Path
    against: Against
    model_for: ModelFor
    journal: Journal
    phase: Phase


@dataclass(frozen=True, kw_only=True, slots=True)
class StepCount:
    """What became of one step's work: `made` is `kept` and all that was `dropped`, which counts reasons."""

    step: str
    origin: Origin
    made: int
    kept: int
    dropped: Mapping[Reason, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Augmented:
    """What an augmentation made: the new records, in the order of the steps, and what was dropped, with reasons."""

    kept: tuple[Candidate, ...]
    dropped: tuple[Dropped, ...]
    counts: tuple[StepCount, ...]


def augment(work: Work) -> Augmented:
    """Takes every step of a plan, and keeps what passes the checks of its step and is not there already.

    The same source, plan, seed and answers of models give the same records in the same order.

    Raises:
        ConfigError: A step does not fit the training set, or has no model to ask.
        DataError: A table cannot be read, or training would refuse a record that a step made.
    """
    _check_tags(work)
    rewrites = any(step.paraphrase or step.back_translation for step in work.plan.steps)
    known = facts_of_set(work.against.source.originals if rewrites else ())  # only rewritings are held against them
    made = [one for step in work.plan.steps for one in _take(step, work, known)]
    candidates = [one for one in made if isinstance(one, Candidate)]
    kept, not_new = keep_new(candidates, work.against)
    dropped = [*(one for one in made if isinstance(one, Dropped)), *not_new]
    order = {step.name: number for number, step in enumerate(work.plan.steps)}
    return Augmented(
        kept=tuple(kept),
        dropped=tuple(sorted(dropped, key=lambda one: order[one.step])),
        counts=tuple(_count(step, kept, dropped) for step in work.plan.steps),
    )


def _check_tags(work: Work) -> None:
    """Raises where a step asks for tags that no record has, with all of them."""
    known = {tag for one in work.against.source.originals for tag in one.tags}
    problems = [
        f'step {step.name}: tags: no record has "{tag}"; {nearest(tag, known)}'
        for step in work.plan.steps
        for tag in step.tags
        if tag not in known
    ]
    if problems:
        raise ConfigError(problems_message(f"plan {work.plan.name}", problems))


def _take(step: Step, work: Work, known: SetFacts) -> Sequence[Made]:
    source = work.against.source
    maker = Maker(plan=work.plan, step=step, seed=work.seed, origin=step.origin)
    if step.template is not None:
        return templated(step.template, maker, source.format, beside=work.beside)
    if step.paraphrase is not None:
        return paraphrases(step.paraphrase, maker, source.originals, _asking(step.paraphrase, work), known)
    if step.back_translation is not None:
        asking = _asking(step.back_translation, work)
        return back_translations(step.back_translation, maker, source.originals, asking, known)
    if step.refusal is not None:
        if step.refusal.cut is None:
            return templated(step.refusal, maker, source.format, beside=work.beside)
        return refusals(step.refusal, step.refusal.cut, maker, source.originals)
    assert step.negative is not None  # the one that is left
    return _negatives(step.negative, maker, work)


def _negatives(step: NegativeStep, maker: Maker, work: Work) -> Sequence[Made]:
    originals = work.against.source.originals
    match step.by:
        case "model":
            return answered_wrongly(step, maker, originals, _asking(step, work))
        case "other_record":
            return answered_as_another(step, maker, originals)
        case "damage":
            return answered_in_wrong_form(step, maker, originals)


def _asking(step: Asked | NegativeStep, work: Work) -> Asking:
    return Asking(model=work.model_for(step), journal=work.journal, phase=work.phase)


def _count(step: Step, kept: Sequence[Candidate], dropped: Sequence[Dropped]) -> StepCount:
    number = sum(one.step == step.name for one in kept)
    reasons = Counter(one.reason for one in dropped if one.step == step.name)
    return StepCount(
        step=step.name,
        origin=step.origin,
        made=number + reasons.total(),
        kept=number,
        dropped={reason: reasons[reason] for reason in REASONS if reasons[reason]},
    )
