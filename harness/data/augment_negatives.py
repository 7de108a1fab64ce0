"""Preferences made of records: the record's answer over a wrong one, from a model, another record, or damage."""

import random
from collections.abc import Sequence

from harness.config.augment_steps import NegativeStep
from harness.data.augment_checks import bare
from harness.data.augment_damage import damaged
from harness.data.augment_made import Made, Maker
from harness.data.augment_rewrites import Asking
from harness.data.augment_source import Original, draw
from harness.data.normalise import normalise, normalised_words


def answered_wrongly(step: NegativeStep, maker: Maker, originals: Sequence[Original], asking: Asking) -> list[Made]:
    """What the model answers to the drawn records, where that is not what they are answered with.

    Wrong is what `differs`: a right answer in other words is taken for a wrong one.
    """
    parents = draw(originals, step.sample, step.tags, lot=maker.lot)
    replies = asking.replies([parent.record.prompt for parent in parents], maker.step.name)
    made: list[Made] = []
    for parent, reply in zip(parents, replies, strict=True):
        text = (reply.text or "").strip()
        if reply.text is None:
            made.append(maker.drop("failed", text, (parent,), reply.error or ""))
        elif not normalised_words(text):
            made.append(maker.drop("empty", text, (parent,)))
        elif not reply.is_whole:
            made.append(maker.drop("cut_off", text, (parent,)))
        elif not _differ(step, text, parent.record.completion):
            made.append(maker.drop("right_answer", text, (parent,)))
        else:
            said = {"by": "model", **asking.model.described}
            made.append(maker.keep(parent.as_preference(text), (parent,), said=said))
    return made


def answered_as_another(step: NegativeStep, maker: Maker, originals: Sequence[Original]) -> list[Made]:
    """The answer of a record with another answer, drawn from the set's distinct answers with equal chances.

    Answers that the set gives to the same question anywhere are not wrong.
    """
    givers: dict[str, Original] = {}
    right: dict[str, set[str]] = {}
    for one in originals:
        answer = normalise(one.record.completion)
        givers.setdefault(answer, one)
        right.setdefault(_question(one), set()).add(answer)
    made: list[Made] = []
    for parent in draw(originals, step.sample, step.tags, lot=maker.lot):
        others = [one for answer, one in givers.items() if answer not in right[_question(parent)]]
        if not others:
            made.append(maker.drop("no_other_answer", parent.record.completion, (parent,)))
            continue
        giver = random.Random(f"{maker.seed} {maker.step.name} {parent.record.record_hash}").choice(others)
        value = parent.as_preference(giver.record.completion)
        made.append(maker.keep(value, (parent, giver), said={"by": "other_record"}))
    return made


def answered_in_wrong_form(step: NegativeStep, maker: Maker, originals: Sequence[Original]) -> list[Made]:
    """The record's own answer damaged, once by each rule."""
    made: list[Made] = []
    for parent in draw(originals, step.sample, step.tags, lot=maker.lot):
        answer = parent.record.completion
        for rule in step.rules:
            text = damaged(rule, answer, wrap=step.wrap, lot=f"{maker.seed} {maker.step.name}")
            if text == answer:
                made.append(maker.drop("unchanged", text, (parent,), rule))
            else:
                said = {"by": "damage", "rule": rule, **({"wrap": step.wrap} if rule == "wrap" else {})}
                made.append(maker.keep(parent.as_preference(text), (parent,), said=said))
    return made


def _differ(step: NegativeStep, text: str, answer: str) -> bool:
    if step.differs == "exact":
        return text != answer.strip()
    return normalise(bare(text)) != normalise(answer)


def _question(one: Original) -> str:
    return "\n".join(normalise(turn.content) or turn.content for turn in one.record.prompt)
