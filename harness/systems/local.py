"""A model in this process that answers items: prompted, with retrieval, with an adapter, or all of them."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from harness.config.system import Decoding, Prompt
from harness.hashing import content_hash
from harness.models.chat import build_messages, encode, render_prompt
from harness.models.generate import Completion, stream_batches
from harness.models.load import LoadedModel
from harness.records.generations import Generation, Passage
from harness.records.items import Item
from harness.records.messages import Message

Retrieve = Callable[[str], tuple[Passage, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """An item as the model is asked it."""

    item: Item
    prompt_ids: list[int]
    prompt_hash: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True, kw_only=True)
class LocalSystem:
    """Answers items with `loaded`. An item too long for the model's context fails by itself; the others go on."""

    loaded: LoadedModel
    prompt: Prompt
    decoding: Decoding
    shots: Sequence[tuple[Message, Message]] = ()
    retrieve: Retrieve | None = None

    def __call__(self, items: Sequence[Item], answered: Collection[str] = ()) -> Iterator[list[Generation]]:
        """Yields generations a batch at a time, longest prompts first; batches that are answered are left out."""
        known = frozenset(answered)
        asked = [self._ask(item) for item in items]
        room = self.loaded.context_tokens - self.decoding.max_new_tokens
        too_long = [one for one in asked if len(one.prompt_ids) > room and one.item.item_id not in known]
        if too_long:
            yield [self._too_long(one, room) for one in too_long]
        answerable = [one for one in asked if len(one.prompt_ids) <= room]
        batches = stream_batches(
            self.loaded,
            [one.prompt_ids for one in answerable],
            max_new_tokens=self.decoding.max_new_tokens,
            batch_tokens=self.decoding.batch_tokens,
            answered=[index for index, one in enumerate(answerable) if one.item.item_id in known],
        )
        for batch in batches:
            yield [_generation(answerable[index], completion) for index, completion in batch]

    def messages(self, turns: Sequence[Message]) -> list[Message]:
        """The messages that `turns` become: framed, with shots and passages. Training examples are framed by it too."""
        return build_messages(self.prompt, turns, shots=self.shots, passages=self._retrieve(turns))

    def prompt_ids(self, turns: Sequence[Message]) -> list[int]:
        """Token ids of the prompt for `turns`, as the model is shown it."""
        return encode(self.loaded.tokenizer, render_prompt(self.loaded.tokenizer, self.messages(turns)))

    def _retrieve(self, turns: Sequence[Message]) -> tuple[Passage, ...]:
        return self.retrieve(turns[-1].content) if self.retrieve else ()

    def _ask(self, item: Item) -> _Asked:
        ids = self.prompt_ids(item.input)
        return _Asked(item=item, prompt_ids=ids, prompt_hash=content_hash(ids), passages=self._retrieve(item.input))

    def _too_long(self, asked: _Asked, room: int) -> Generation:
        return Generation(
            item_id=asked.item.item_id,
            item_hash=asked.item.item_hash,
            error=f"the prompt has {len(asked.prompt_ids)} tokens, and {room} fit beside the answer",
            prompt_hash=asked.prompt_hash,
            prompt_tokens=len(asked.prompt_ids),
            passages=asked.passages,
        )


def _generation(asked: _Asked, completion: Completion) -> Generation:
    return Generation(
        item_id=asked.item.item_id,
        item_hash=asked.item.item_hash,
        text=completion.text,
        finish_reason=completion.finish_reason,
        prompt_hash=asked.prompt_hash,
        prompt_tokens=len(asked.prompt_ids),
        completion_tokens=completion.tokens,
        latency_s=completion.latency_s,
        passages=asked.passages,
    )
