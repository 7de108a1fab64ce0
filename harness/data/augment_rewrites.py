"""Paraphrases and back-translations: inputs that a model wrote anew, answered as their parents are."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.config.augment_steps import Asked, BackTranslationStep, ParaphraseStep
from harness.data.augment_checks import Failing, Rewritten, SetFacts, bare, check_between, check_rewritten
from harness.data.augment_journal import AskedModel, Journal, Phase, Reply
from harness.data.augment_made import Candidate, Dropped, Made, Maker
from harness.data.augment_source import Original, draw
from harness.records.messages import Message


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """What a step needs to ask: the model, the journal of its answers, and a bar to show."""

    model: AskedModel
    journal: Journal
    phase: Phase

    def replies(self, questions: Sequence[Sequence[Message]], label: str) -> list[Reply]:
        """The model's answers, in order."""
        return self.journal.replies(self.model, questions, label=label, phase=self.phase)


def paraphrases(
    step: ParaphraseStep, maker: Maker, originals: Sequence[Original], asking: Asking, known: SetFacts
) -> list[Made]:
    """One text for each drawn record and request, by record and then request, in the order of the file."""
    parents = draw(originals, step.sample, step.tags, lot=maker.lot)
    jobs = [(parent, request) for parent in parents for request in step.requests]
    questions = [_question(step, request, parent.input) for parent, request in jobs]
    replies = asking.replies(questions, maker.step.name)
    made: list[Made] = []
    for (parent, request), reply in zip(jobs, replies, strict=True):
        said = _said(step, request, asking.model)
        made.append(
            _made(step, maker, Rewritten(text=_text(reply), parent=parent, request=request), reply, said, known)
        )
    return made


def back_translations(
    step: BackTranslationStep, maker: Maker, originals: Sequence[Original], asking: Asking, known: SetFacts
) -> list[Made]:
    """Inputs translated and translated back; what is no translation is not translated back."""
    parents = draw(originals, step.sample, step.tags, lot=maker.lot)
    there, back = (step.request.replace("{language}", language) for language in (step.through, step.language))
    asked = [_question(step, there, parent.input) for parent in parents]
    made: list[Made] = []
    between: list[tuple[Original, str]] = []
    for parent, reply in zip(parents, asking.replies(asked, f"{maker.step.name} 1/2"), strict=True):
        failing = _broken(reply) or check_between(_text(reply), parent, known)
        if failing is None:
            between.append((parent, _text(reply)))
        else:
            made.append(maker.drop(failing[0], _text(reply), (parent,), failing[1]))
    questions = [_question(step, back, text) for _, text in between]
    replies = asking.replies(questions, f"{maker.step.name} 2/2")
    for (parent, text), reply in zip(between, replies, strict=True):
        said = {**_said(step, step.request, asking.model), "through": step.through, "between": text}
        rewritten = Rewritten(text=_text(reply), parent=parent, request=back)
        made.append(_made(step, maker, rewritten, reply, said, known))
    return made


def _made(
    step: Asked, maker: Maker, rewritten: Rewritten, reply: Reply, said: dict[str, object], known: SetFacts
) -> Candidate | Dropped:
    parent = rewritten.parent
    failing = _broken(reply) or check_rewritten(rewritten, step.checks, known)
    if failing is not None:
        return maker.drop(failing[0], rewritten.text, (parent,), failing[1])
    return maker.keep(parent.with_input(rewritten.text), (parent,), said=said)


def _broken(reply: Reply) -> Failing | None:
    if reply.text is None:
        return "failed", reply.error or ""
    return None if reply.is_whole else ("cut_off", "")


def _text(reply: Reply) -> str:
    return bare(reply.text or "")


def _question(step: Asked, request: str, text: str) -> tuple[Message, ...]:
    asked = Message(role="user", content=request.replace("{input}", text))
    return (Message(role="system", content=step.system_prompt), asked) if step.system_prompt else (asked,)


def _said(step: Asked, request: str, model: AskedModel) -> dict[str, object]:
    prompt: dict[str, object] = {"request": request}
    return {**model.described, **prompt, **({"system_prompt": step.system_prompt} if step.system_prompt else {})}
