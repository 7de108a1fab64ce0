"""Regression suites: what is asked, what a model answered item by item, and what makes an evaluation the same one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from harness.hashing import content_hash


@dataclass(frozen=True, kw_only=True, slots=True)
class RegressionItem:
    """One item of a regression task.

    `item_id` is stable across runs and versions (`mmlu/anatomy/17`, `hellaswag/4711`: row numbers of pinned data).
    `item_hash` covers the item's text, its right answer, and how it is asked (prompt template and shots), so that a
    5-shot score is never paired with a 0-shot one. `part` is the lm-eval task that asks it and `index` its row there.
    `stratum` is MMLU's subject or HellaSwag's source; `group` marks items that stand together (HellaSwag's
    `source_id`, MMLU's shared passage). `size_chars` is the length of its question and options, without shots.
    """

    item_id: str
    item_hash: str
    part: str
    index: int
    stratum: str | None
    group: str | None
    size_chars: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemResult:
    """What a model answered to one item.

    `loglikelihoods` are natural logarithms of the probability of each option given the prompt (nats, <= 0), in the
    item's order; `greedy` says of each whether greedy decoding would have written it. `option_chars` are lengths of the
    options as lm-eval's `acc_norm` divides by them; `option_bytes` are UTF-8 bytes of the continuations as scored, the
    delimiter before the option included. `gold` is the position of the right option (None where lm-eval has no single
    one). `values` holds the metrics by name (`acc` 0 or 1). `doc_hash`, `prompt_hash` and `target_hash` are as lm-eval
    makes them. `truncated` says that the prompt was too long for the model and lost its beginning. `error` stands in
    place of `values` where there is no answer, such as a log-likelihood that is not a number.
    """

    item_id: str
    item_hash: str
    stratum: str | None
    group: str | None
    gold: int | None
    loglikelihoods: tuple[float | None, ...]
    greedy: tuple[bool, ...]
    option_chars: tuple[int, ...]
    option_bytes: tuple[int, ...]
    values: Mapping[str, float]
    doc_hash: str
    prompt_hash: str
    target_hash: str
    truncated: bool = False
    error: str | None = None

    @property
    def chosen(self) -> int | None:
        """The option with the highest log-likelihood: what `acc` looks at. None without an answer or options."""
        known = [value for value in self.loglikelihoods if value is not None]
        if self.error is not None or not known or len(known) != len(self.loglikelihoods):
            return None
        return known.index(max(known))


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """What computed the log-likelihoods: a name such as `lm-eval-hf`, and the versions its numbers depend on."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationInputs:
    """Everything the scores of one set of weights on one task depend on; never a name somebody gave.

    `weights` is the content identity of the base model, `adapter_sha256` that of the adapter (None: the base itself).
    `template_sha256` covers prompt template, description and shots; `items_sha256` the item hashes in order.
    `dtype` is `bfloat16`, `float32`, or the name of a quantisation.
    """

    weights: str
    adapter_sha256: str | None
    task: str
    shots: int
    template_sha256: str
    items_sha256: str
    dtype: str
    engine: Engine

    @property
    def key(self) -> str:
        """The evaluation's key: a content hash, 64 hexadecimal digits."""
        return content_hash(asdict(self))


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeEstimate:
    """How long the items that are left would take, from items that were measured.

    `seconds` is wall time on this machine under its present load; `chars_per_s` counts characters of questions, options
    and shots, which stand for tokens.
    """

    seconds: float
    items: int
    measured_items: int
    measured_s: float
    chars_per_s: float
