"""Scores continuations with a model, each distinct prefix computed once, in the fastest way that is right for it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from weakref import WeakKeyDictionary

import torch

from harness.errors import ModelError
from harness.models.prefix_attention import UnpackableError
from harness.models.prefix_check import Score, largest_difference, tolerance
from harness.models.prefix_generate import Decoding, Stop, continue_packed, never
from harness.models.prefix_layout import Kept
from harness.models.prefix_model import PackedModel, has_virtual_tokens
from harness.models.prefix_requests import Requests, Scored, ScoreRequest, Tally, join_requests
from harness.models.prefix_score import hold, score_cached, score_packed, score_plain

Way = Literal["packed", "cached", "plain"]

_ROW_TOKENS = {"cpu": 2048, "cuda": 16384, "mps": 4096}
_LEAST_ROW_TOKENS = 32
_CHECK_TOKENS = 48  # so that the check's tree takes several rows and tiles
_CHECK_TILE_TOKENS = 16
# What models of other people's making raise where they are called in a way that they do not know.
_REFUSALS = (
    UnpackableError, AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


@dataclass(kw_only=True, slots=True)
class Counts:
    """Tokens of all that was scored: as asked, each distinct one once, and as computed, padding included."""

    asked: int = 0
    distinct: int = 0
    computed: int = 0


class PrefixScorer:
    """Scores with one model as it is now. Make another one when its adapter has changed.

    `way` says how: `packed` rows, `cached` contexts where its attention cannot take these, `plain` sequences where
    neither gives what the model's own forward pass gives. `why` gives the reason where it is not `packed`.
    `row_tokens` is the budget of one forward pass; it is halved when memory runs out.

    Args:
        model: A causal model of transformers, maybe wrapped by PEFT. It is put into evaluation mode.
        row_tokens: By default what is fast on its device.
        say: Told when memory runs out, and when another way than `packed` is taken.
    """

    def __init__(self, model: Any, *, row_tokens: int | None = None, say: Callable[[str], None] | None = None) -> None:
        model.eval()
        self._model = model
        self._say = say or (lambda text: None)
        self.row_tokens = row_tokens or _ROW_TOKENS.get(model.device.type, 2048)
        self.counts = Counts()
        self._held: tuple[int, ...] = ()
        self._kept: Kept = {}
        if model not in _CHECKED:
            _CHECKED[model] = _choose(model)
        self.way, self.why = _CHECKED[model]
        self._packed = PackedModel(model) if self.way == "packed" else None
        if self.why:
            self._say(f"requests are scored the {self.way} way: {self.why}")

    @property
    def held(self) -> tuple[int, ...]:
        """Tokens that are held ready for requests that begin with them."""
        return self._held

    def hold(self, tokens: Sequence[int]) -> None:
        """Computes tokens that many requests to come begin with; none lets go of those before.

        Only packed rows gain by it. Results do not depend on how often, or when, this is called with the same tokens.
        """
        wanted = tuple(tokens) if self.way == "packed" else ()
        if wanted == self._held:
            return
        self._held, self._kept = (), {}
        while wanted and self._packed:
            try:
                self._kept = hold(self._packed, wanted, row_tokens=self.row_tokens)
            except (RuntimeError, MemoryError) as problem:
                self._halve(problem)
            else:
                self._held = wanted
                self.counts.computed += len(wanted)
                self.counts.distinct += len(wanted)
                return

    def join(self, requests: Sequence[ScoreRequest]) -> Requests:
        """Joins requests for `score`: after what is held, where all begin with it."""
        held = len(self._held)
        fits = all(
            tuple(one.inputs[:held]) == self._held and len(one.inputs) - held >= len(one.targets) for one in requests
        )
        return join_requests(requests, held=held if fits else 0)

    def score(self, requests: Requests) -> list[Scored]:
        """Scores all of them, in order.

        Raises:
            ModelError: Memory runs out even with the smallest budget.
        """
        results: dict[int, Scored] = {}
        numbers, left = list(range(len(requests))), requests
        while numbers:
            tally = Tally(left)
            try:
                self.counts.computed += self._score(left, tally)
            except (RuntimeError, MemoryError) as problem:
                self._halve(problem)
            finished = tally.finished()
            results |= {numbers[place]: scored for place, scored in finished.items()}
            numbers = [number for place, number in enumerate(numbers) if place not in finished]
            left = requests.only(numbers) if numbers else left
        self.counts.asked += sum(requests.tree.lengths)
        self.counts.distinct += requests.tree.distinct_tokens
        return [results[number] for number in range(len(requests))]

    def complete(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, ends: Collection[int], stop: Stop = never
    ) -> list[list[int]]:
        """Continues prompts greedily, together; as many at a time as memory holds.

        Args:
            prompts: Token ids; none is empty.
            max_new_tokens: Most tokens after each.
            ends: Tokens that end an answer.
            stop: Whether an answer is done, by its tokens so far.

        Returns:
            The tokens said after each prompt, an end mark included.

        Raises:
            UnpackableError: The way is not `packed`.
            ModelError: Memory runs out even for a single prompt.
        """
        if self._packed is None:
            raise UnpackableError(self.why or "the model cannot be packed")
        held = len(self._held)
        held = held if all(len(p) > held and tuple(p[:held]) == self._held for p in prompts) else 0
        try:
            return continue_packed(
                self._packed,
                prompts,
                Decoding(max_new_tokens=max_new_tokens, ends=frozenset(ends), stop=stop, row_tokens=self.row_tokens),
                held=held,
                kept=self._kept if held else {},
            )
        except (RuntimeError, MemoryError) as problem:
            self._halve(problem)
        middle = (len(prompts) + 1) // 2
        parts = [part for part in (prompts[:middle], prompts[middle:]) if part]
        return [
            said for part in parts for said in self.complete(part, max_new_tokens=max_new_tokens, ends=ends, stop=stop)
        ]

    def _score(self, requests: Requests, tally: Tally) -> int:
        if self._packed is not None:
            kept = self._kept if requests.tree.origin else {}
            return score_packed(self._packed, requests, tally, row_tokens=self.row_tokens, kept=kept)
        score = score_cached if self.way == "cached" else score_plain
        return score(self._model, requests, tally, row_tokens=self.row_tokens)

    def _halve(self, problem: BaseException) -> None:
        """Halves the budget if memory ran out; raises what it was otherwise."""
        if not is_out_of_memory(problem):
            raise problem
        if self.row_tokens <= _LEAST_ROW_TOKENS:
            raise ModelError(
                f"memory runs out with {self.row_tokens} tokens at a time: {str(problem).splitlines()[0][:200]} "
                "Close other programs, or choose a smaller model, a smaller number format or another device."
            ) from problem
        self.row_tokens //= 2
        if self._model.device.type == "cuda":
            torch.cuda.empty_cache()
        self._say(f"memory ran out: going on with {self.row_tokens} tokens at a time")


# A model object keeps its way: an attached adapter makes another object, and training changes numbers only.
_CHECKED: "WeakKeyDictionary[torch.nn.Module, tuple[Way, str | None]]" = WeakKeyDictionary()


def _choose(model: Any) -> tuple[Way, str | None]:
    """The fastest way that gives what the model's own forward pass gives, and why no faster one."""
    if has_virtual_tokens(model):
        return "plain", "its adapter puts virtual tokens before every sequence"
    reasons: list[str] = []
    for way in ("packed", "cached"):
        try:
            problem = _wrong(model, _check_of(model, way))
        except _REFUSALS as refusal:
            if is_out_of_memory(refusal):
                raise
            problem = (str(refusal).strip().splitlines() or [type(refusal).__name__])[0][:200]
        if problem is None:
            return way, "; ".join(reasons) or None
        reasons.append(f"{way}: {problem}")
    return "plain", "; ".join(reasons)


def _check_of(model: Any, way: Literal["packed", "cached"]) -> Score:
    if way == "cached":
        return partial(score_cached, model, row_tokens=_CHECK_TOKENS)
    packed = PackedModel(model)
    return partial(score_packed, packed, row_tokens=_CHECK_TOKENS, kept={}, tile_tokens=_CHECK_TILE_TOKENS)


def _wrong(model: Any, score: Score) -> str | None:
    difference = largest_difference(model, score)
    if difference <= tolerance(model):
        return None
    return f"log-likelihoods differ by up to {difference:.2g} nats a token from those of a plain forward pass"


def is_out_of_memory(problem: BaseException) -> bool:
    """Whether memory ran out, on whichever device."""
    return isinstance(problem, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(problem)
