"""The prefix-shared engine as a model class of lm-eval, `harness-prefix`.

lm-eval finds model classes only in its own package or among those that are imported. Its command line with this one
imported is `python -m harness.evaluation.prefix_lm run --model harness-prefix --model_args pretrained=... --tasks ...`.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from lm_eval.api.instance import Instance
from lm_eval.api.registry import register_model
from lm_eval.models.huggingface import HFLM
from lm_eval.models.utils import handle_stop_sequences, normalize_gen_kwargs, postprocess_generated_text
from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

from harness.models.prefix import PrefixScorer
from harness.models.prefix_requests import Requests, ScoreRequest
from harness.records.regression import Engine

# The version is raised when numbers change by more than a number format's last digits.
ENGINE = Engine(name="harness-prefix", version="1")
_LEAST_HELD_TOKENS = 32
# Tokens at the end of a held prefix that may join with what follows it in another way.
_SEAM_TOKENS = 4
# Characters of questions and options asked at a time: about ten seconds of work on two CPU cores.
_UNIT_CHARS = {"cpu": 16_000, "cuda": 400_000}
# Settings of generation under which the likeliest token is not always the one that is said.
_NOT_GREEDY = ("num_beams", "repetition_penalty", "no_repeat_ngram_size", "min_new_tokens", "suppress_tokens")

Tokenised = tuple[tuple[str, str] | None, list[int], list[int]]
_Hflm: Any = HFLM  # lm-eval's registry hides its attributes from type checkers


class PrefixLM(_Hflm):
    """lm-eval's transformers backend, with what requests begin with computed once.

    Encoding, truncation and the token before an empty context are `HFLM`'s own. Requests that were asked before, of
    another adapter say, are not encoded again.

    Args:
        pretrained: As for `HFLM`: a name, a folder or a model in memory.
        row_tokens: Most tokens of a forward pass; by default what is fast on the device.
        settings: Those of `HFLM`. `batch_size` counts where generation is not greedy, and nowhere else.
    """

    engine = ENGINE

    def __init__(self, pretrained: Any, *, row_tokens: int | None = None, **settings: Any) -> None:
        super().__init__(pretrained=pretrained, **settings)
        self.say: Callable[[str], None] = lambda text: None
        self._row_tokens = row_tokens
        self._made: PrefixScorer | None = None
        self._joined: dict[bytes, Requests] = {}
        self._last: Requests | None = None
        self._encoded: tuple[str, list[int]] = ("", [])

    @property
    def scorer(self) -> PrefixScorer:
        """What computes."""
        if self._made is None:
            self._made = PrefixScorer(self.model, row_tokens=self._row_tokens, say=self.say)
        return self._made

    @property
    def unit_chars(self) -> int:
        """Characters of questions and options to ask at a time."""
        return _UNIT_CHARS.get(self.device.type, _UNIT_CHARS["cpu"])

    def switch_to(self, model: Any) -> None:
        """Takes another adapter of the same base model, or the base itself. What was encoded is kept."""
        self._model = model
        self._made = None

    def hold_prefix(self, text: str) -> None:
        """Keeps the beginning of all prompts to come computed, until another one is held."""
        tokens = self.tok_encode(text)[:-_SEAM_TOKENS] if text else []
        self.scorer.hold(tokens if len(tokens) >= _LEAST_HELD_TOKENS else ())

    def tok_encode(self, string: str, *settings: Any, **named: Any) -> list[int]:
        """See `HFLM.tok_encode`. The options of an item are asked one after another, with one context."""
        if settings or named:
            return super().tok_encode(string, *settings, **named)
        if self._encoded[0] != string:
            self._encoded = string, super().tok_encode(string)
        return list(self._encoded[1])

    def loglikelihood(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """See `HFLM.loglikelihood`."""
        key = self._key(requests)
        if (joined := self._joined.get(key)) is not None:
            return [(one.loglikelihood, one.greedy) for one in self.scorer.score(joined)]
        answers = super().loglikelihood(requests, disable_tqdm=disable_tqdm)
        assert self._last is not None
        self._joined[key] = self._last
        return answers

    def _key(self, requests: Sequence[Instance]) -> bytes:
        """Of the texts, and of what was held when they were joined."""
        digest = hashlib.blake2b(repr((self.scorer.held, self.max_length)).encode())
        for request in requests:
            digest.update(repr(request.args).encode())
        return digest.digest()

    def _loglikelihood_tokens(
        self, requests: Sequence[Tokenised], disable_tqdm: bool = False, override_bs: int | None = None
    ) -> list[tuple[float, bool]]:
        self._last = self.scorer.join([self._request(context, continuation) for _, context, continuation in requests])
        answers = [(one.loglikelihood, one.greedy) for one in self.scorer.score(self._last)]
        for (texts, _, _), answer in zip(requests, answers, strict=True):
            if texts is not None:
                self.cache_hook.add_partial("loglikelihood", texts, answer)
        return answers

    def _request(self, context: list[int], continuation: list[int]) -> ScoreRequest:
        """Cuts what is too long from the left, as `HFLM._loglikelihood_tokens` does."""
        assert len(context) > 0
        assert 0 < len(continuation) <= self.max_length
        return ScoreRequest(inputs=(context + continuation)[-(self.max_length + 1) :][:-1], targets=continuation)

    def loglikelihood_rolling(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[float]:
        """See `HFLM.loglikelihood_rolling`; all windows are asked at once."""
        windows: list[tuple[int, Tokenised]] = []
        for number, (text,) in enumerate(request.args for request in requests):
            rolling = get_rolling_token_windows(
                token_list=self.tok_encode(text),
                prefix_token=self.prefix_token_id,
                max_seq_len=self.max_length,
                context_len=1,
            )
            windows += [(number, (None, *make_disjoint_window(window))) for window in rolling]
        totals = [0.0] * len(requests)
        if windows:
            values = self._loglikelihood_tokens([window for _, window in windows])
            for (number, _), (value, _) in zip(windows, values, strict=True):
                totals[number] += value
        for request, total in zip(requests, totals, strict=True):
            self.cache_hook.add_partial("loglikelihood_rolling", request.args, total)
        return totals

    def generate_until(self, requests: Sequence[Instance], disable_tqdm: bool = False) -> list[str]:
        """See `HFLM.generate_until`. Requests that are not greedy are answered by `HFLM`."""
        answers: dict[int, str] = {}
        batches: dict[tuple[int, tuple[str, ...]], list[int]] = {}
        others: list[int] = []
        for number, request in enumerate(requests):
            _, asked = cast("tuple[str, dict[str, Any]]", request.args)
            settings: dict[str, Any] = dict(normalize_gen_kwargs(asked, self.max_gen_toks))
            room, until = settings.pop("max_gen_toks"), settings.pop("until", None)
            if self.scorer.way == "packed" and self._is_greedy(settings):
                end = self.tok_decode([self.eot_token_id], skip_special_tokens=False)
                batches.setdefault((room, tuple(handle_stop_sequences(until, eos=end))), []).append(number)
            else:
                others.append(number)
        for (room, until), numbers in batches.items():
            answers |= dict(self._complete(requests, numbers, room, until))
        rest = super().generate_until([requests[number] for number in others], disable_tqdm) if others else []
        answers |= dict(zip(others, rest, strict=True))
        return [answers[number] for number in range(len(requests))]

    def _is_greedy(self, settings: dict[str, Any]) -> bool:
        own: Any = self.model.generation_config
        neutral = type(own)()
        changed = [name for name in _NOT_GREEDY if getattr(own, name) not in (None, getattr(neutral, name), 0, 1, 1.0)]
        asked = {name: value for name, value in settings.items() if name not in ("do_sample", "temperature")}
        return not settings.get("do_sample") and not asked and not changed and not isinstance(self.think_end_token, int)

    def _complete(
        self, requests: Sequence[Instance], numbers: Sequence[int], room: int, until: tuple[str, ...]
    ) -> Iterator[tuple[int, str]]:
        """Answers requests that end alike."""
        longest = self.max_length - room
        assert longest > 0, f"{room} tokens to generate leave no place for a prompt within {self.max_length}"
        prompts: list[list[int]] = []
        for number in numbers:
            ids, _ = self.tok_batch_encode(
                [requests[number].args[0]], left_truncate_len=longest, truncation=self.truncation
            )
            prompts.append(ids[0].tolist())
        looks_back = max(len(self.tokenizer.encode(text, add_special_tokens=False)) for text in until) + 2

        def stop(said: Sequence[int]) -> bool:
            tail = self.tokenizer.decode(said[-looks_back:])
            return any(text in tail for text in until if text)

        own: Any = self.model.generation_config.eos_token_id
        ends = {int(one) for one in (own if isinstance(own, list) else [own]) if one is not None}
        said = self.scorer.complete(prompts, max_new_tokens=room, ends=ends, stop=stop)
        for number, tokens in zip(numbers, said, strict=True):
            think = self.think_end_token if isinstance(self.think_end_token, str) else None
            text = postprocess_generated_text(self.tok_decode(tokens), list(until), think)
            self.cache_hook.add_partial("generate_until", requests[number].args, text)
            yield number, text


register_model(ENGINE.name)(PrefixLM)  # as a decorator it would hide the class's attributes from type checkers

if __name__ == "__main__":
    from lm_eval.__main__ import cli_evaluate

    cli_evaluate()
