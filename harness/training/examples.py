"""Training records as tokens, with the loss on the answer only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.errors import TrainingError, problems_message
from harness.models.chat import encode, render_example
from harness.models.generate import end_token_ids
from harness.models.load import LoadedModel
from harness.records.messages import Message
from harness.records.training import TrainingRecord

Frame = Callable[[Sequence[Message]], list[Message]]

IGNORED = -100  # the label that torch's cross entropy leaves out


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """One record as token ids. The first `prompt_tokens` carry no loss; at least one token after them does."""

    input_ids: list[int]
    prompt_tokens: int

    @property
    def prompt_ids(self) -> list[int]:
        """What evaluation would show the model."""
        return self.input_ids[: self.prompt_tokens]

    @property
    def labels(self) -> list[int]:
        """Token ids with the prompt masked out, as long as `input_ids`."""
        return [IGNORED] * self.prompt_tokens + self.input_ids[self.prompt_tokens :]


def encode_examples(
    loaded: LoadedModel,
    records: Sequence[TrainingRecord],
    frame: Frame,
    *,
    max_length_tokens: int | None,
    source: str = "training set",
) -> list[Example]:
    """Renders and tokenises every record, none cut and none dropped.

    An answer ends with the model's end mark, so that the model learns to stop.

    Args:
        frame: Turns a record's turns into messages, the same way as the items that the system will answer.
        source: Where the records' lines are, for messages.

    Raises:
        TrainingError: Records longer than `max_length_tokens` or the model's context, or with the model's end mark
            inside the answer; with their lines.
    """
    limit = min(max_length_tokens or loaded.context_tokens, loaded.context_tokens)
    ends = end_token_ids(loaded)
    examples: list[Example] = []
    problems: list[str] = []
    for record in records:
        asked, answered = render_example(loaded.tokenizer, frame(record.prompt), record.completion)
        prompt_ids, answer_ids = encode(loaded.tokenizer, asked), encode(loaded.tokenizer, answered)
        end = next((position for position, token in enumerate(answer_ids) if token in ends), None)
        answer_ids = [*answer_ids, loaded.tokenizer.eos_token_id] if end is None else answer_ids[: end + 1]
        example = Example(input_ids=prompt_ids + answer_ids, prompt_tokens=len(prompt_ids))
        if ends & set(encode(loaded.tokenizer, record.completion)):
            problems.append(f"line {record.line}: the model's end mark stands inside the answer, which would end there")
        if len(example.input_ids) > limit:
            problems.append(f"line {record.line}: {len(example.input_ids)} tokens, at most {limit} fit")
        examples.append(example)
    if problems:
        step = "Shorten them, or raise finetune.max_length_tokens up to the model's context."
        raise TrainingError(f"{problems_message(f'{source}: records that would be cut', problems)}\n{step}")
    return examples


def loss_share(examples: Sequence[Example]) -> float:
    """Share of all tokens that carry loss, as a proportion in (0, 1]."""
    total = sum(len(example.input_ids) for example in examples)
    return 1.0 - sum(example.prompt_tokens for example in examples) / total
