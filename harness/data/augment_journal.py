"""What models answered, kept beside the file that is being made: nothing is asked twice, whatever stops the work."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from harness.data.augment_source import turns_hash
from harness.data.jsonl import scan_jsonl
from harness.errors import DataError
from harness.hashing import canonical_json, content_hash
from harness.records.generations import Generation
from harness.records.messages import Message
from harness.records.protocols import Ask

Phase = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Opens a bar of so many units under a label; the value advances it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedModel:
    """A model that can be asked, with what its answers depend on.

    `identity` is a hash of weights, prompt and decoding: answers are kept under it and the question. `described` is
    what the marks of a record say of it.
    """

    system: str
    identity: str
    described: Mapping[str, object]
    ask: Ask


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a model answered: a text, or the error in its place. `is_whole`: it ended by itself, not at the limit."""

    text: str | None
    error: str | None = None
    is_whole: bool = True


class Journal:
    """A file of answers, a line each, under the hash of model and question. Errors are not kept: they are asked again.

    Lines are on the disk before the next batch is asked for. A line that a crash cut short is left out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._replies: dict[str, Reply] = {}
        self._torn_at: int | None = None
        if path.exists():
            self._read()

    def replies(
        self, model: AskedModel, questions: Sequence[Sequence[Message]], *, label: str, phase: Phase
    ) -> list[Reply]:
        """The answer to each question, in their order; what is not in the journal is asked now.

        Args:
            model: Who is asked.
            questions: Turns, the last one the user's. The same question is asked once.
            label: What the progress bar says.
            phase: Opens the progress bar, where anything is to be asked.
        """
        keys = [content_hash([model.identity, turns_hash(question)]) for question in questions]
        by_key = dict(zip(keys, questions, strict=True))
        known = {key for key in by_key if key in self._replies}
        failed: dict[str, Reply] = {}
        if len(known) < len(by_key):
            with phase(label, len(by_key)) as advance:
                advance(len(known))
                for batch in model.ask(by_key, frozenset(known)):
                    fresh = [one for one in batch if one.item_id in by_key and one.item_id not in self._replies]
                    failed |= {one.item_id: Reply(text=None, error=one.error) for one in fresh if one.text is None}
                    self._keep([one for one in fresh if one.text is not None])
                    advance(len(fresh))
        missing = Reply(text=None, error="no answer came")
        return [self._replies.get(key) or failed.get(key) or missing for key in keys]

    def _read(self) -> None:
        raw = self._path.read_bytes()
        whole_bytes = raw.rfind(b"\n") + 1
        self._torn_at = whole_bytes if whole_bytes < len(raw) else None
        if whole_bytes == 0:
            return
        for line, value in scan_jsonl(self._path).objects:
            key, text, is_whole = value.get("key"), value.get("text"), value.get("is_whole")
            if not isinstance(key, str) or not isinstance(text, str) or not isinstance(is_whole, bool):
                raise DataError(
                    f"{self._path}:{line}: this is no answer kept by `harness data augment`. Move the file away, or "
                    "name another one with --out."
                )
            self._replies[key] = Reply(text=text, is_whole=is_whole)

    def _keep(self, generations: Sequence[Generation]) -> None:
        if not generations:
            return
        lines: list[str] = []
        for one in generations:
            reply = Reply(text=one.text, is_whole=one.finish_reason != "length")
            self._replies[one.item_id] = reply
            lines.append(canonical_json({"key": one.item_id, "text": reply.text, "is_whole": reply.is_whole}) + "\n")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._torn_at is not None:
            os.truncate(self._path, self._torn_at)
            self._torn_at = None
        with self._path.open("ab") as stream:
            stream.write("".join(lines).encode())
            stream.flush()
            os.fsync(stream.fileno())
