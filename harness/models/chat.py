"""The one place that turns an item into the text a model sees: for training, generation, probes and judge alike."""

import re
from collections.abc import Sequence
from typing import Any

from harness.config.system import Prompt
from harness.errors import ModelError
from harness.hashing import content_hash
from harness.records.generations import Passage
from harness.records.messages import Message

_FIELD = re.compile(r"\{(input|passages)\}")

ALPACA = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\n\n' }}"
    "{% elif message['role'] == 'user' %}{{ '### Instruction:\n' + message['content'] + '\n\n' }}"
    "{% else %}{{ '### Response:\n' + message['content'] + eos_token + '\n\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Response:\n' }}{% endif %}"
)


def with_template(tokenizer: Any) -> str:
    """Makes sure that `tokenizer` has a chat template.

    Returns:
        `own`, or `alpaca` when the model came without one and the fallback was set.
    """
    if tokenizer.chat_template is not None:
        return "own"
    tokenizer.chat_template = ALPACA
    return "alpaca"


def template_hash(tokenizer: Any) -> str:
    """Content hash of the chat template in use."""
    return content_hash(tokenizer.chat_template)


def build_messages(
    prompt: Prompt,
    turns: Sequence[Message],
    *,
    shots: Sequence[tuple[Message, Message]] = (),
    passages: Sequence[Passage] = (),
) -> list[Message]:
    """Frames an item's turns: system text, then shots as earlier turns, then the item with its passages.

    A system turn of the item's own replaces the prompt's. Shots are framed by the same `template` as the item.

    Args:
        turns: The item's turns, the last one the user's.
        shots: Pairs of a user's turn and the answer to it.
    """
    own_system = turns[0].role == "system"
    system = turns[0].content if own_system else prompt.system
    *earlier, last = turns[1:] if own_system else turns
    asked = _filled(prompt.template, input=last.content)
    if passages:
        listed = "\n".join(f"[{number}] {passage.text}" for number, passage in enumerate(passages, start=1))
        asked = _filled(prompt.passages_template, input=asked, passages=listed)
    messages = [Message(role="system", content=system)] if system else []
    for question, answer in shots:
        messages += [Message(role="user", content=_filled(prompt.template, input=question.content)), answer]
    return [*messages, *earlier, Message(role="user", content=asked)]


def render_prompt(tokenizer: Any, messages: Sequence[Message]) -> str:
    """The text up to where the model begins to answer.

    Raises:
        ModelError: The model's chat template refuses the messages (some allow no system turn).
    """
    return _render(tokenizer, messages, answer_next=True)


def render_example(tokenizer: Any, messages: Sequence[Message], completion: str) -> tuple[str, str]:
    """A training example: the text up to the answer, and the answer with the turn's closing marks.

    Raises:
        ModelError: The template writes the turns before an answer differently once the answer is there, so that
            training would learn from another prompt than evaluation uses.
    """
    prompt = render_prompt(tokenizer, messages)
    whole = _render(tokenizer, [*messages, Message(role="assistant", content=completion)], answer_next=False)
    if not whole.startswith(prompt):
        raise ModelError(
            "the chat template renders the prompt differently when the answer follows it, so a training example would "
            "not begin like the prompt that is evaluated. Set a template of your own on the tokenizer."
        )
    return prompt, whole[len(prompt) :]


def encode(tokenizer: Any, text: str) -> list[int]:
    """Token ids of rendered text; special tokens come from the template alone."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _filled(template: str, **texts: str) -> str:
    """Puts each text at its `{name}`, in one pass, so that braces inside a text stay as they are."""
    return _FIELD.sub(lambda field: texts.get(field.group(1), field.group(0)), template)


def _render(tokenizer: Any, messages: Sequence[Message], *, answer_next: bool) -> str:
    from jinja2.exceptions import TemplateError

    turns = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=answer_next)
    except TemplateError as refusal:
        raise ModelError(
            f"the model's chat template refuses these messages: {refusal}. "
            "Without a system text (`prompt: {system: }`) it may accept them."
        ) from refusal
