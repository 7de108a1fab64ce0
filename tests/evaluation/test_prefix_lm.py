"""`harness-prefix` against lm-eval's own `hf`, request by request."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import lm_eval
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

from harness.evaluation.prefix_lm import PrefixLM
from harness.models.load import LoadedModel

SHOTS = (
    "Name the hue of a raven's feathers. Colour: black\n\nWhich hue has fresh milk? Colour: white, not grey.\n\n" * 2
)
PAIRS = [
    ("Which hue has an elephant's skin?", " grey"),
    ("Which hue has an elephant's skin?", " Colour: grey as ash"),
    ("Which hue has an elephant's skin? ", "grey"),  # the space belongs to what is scored
    ("", "Colour: red"),
    ("", "<|endoftext|>Colour: red"),  # its first token is the one that stands for an empty context
    ("word " * 150, "Colour: blue"),  # longer than the model
    ("<|endoftext|>Colour:", " blue"),
    (SHOTS + "Name the hue of spinach leaves.", " Colour: green"),
    (SHOTS + "Name the hue of spinach leaves.", " Colour: grey"),
    (SHOTS + "Which hue has a ripe banana?", "\nColour: yellow"),
    (SHOTS + "Which hue has a ripe banana?", " yes"),
    (SHOTS, "Which hue has a ripe banana?"),
]


def make(kind: Any, loaded: LoadedModel, **named: Any) -> Any:
    # With its `logits_cache`, `hf` reads the value of one request at the position of another one where two come to the
    # same tokens, parted into context and continuation at different places.
    return kind(pretrained=loaded.model, tokenizer=loaded.tokenizer, logits_cache=False, **named)


@pytest.fixture(scope="module")
def hf(tiny: LoadedModel) -> Any:
    return make(HFLM, tiny, batch_size=3)


@pytest.fixture(scope="module")
def prefix(tiny: LoadedModel) -> Any:
    return make(PrefixLM, tiny)


def asked(kind: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [
        Instance(request_type=kind, doc={}, arguments=one, idx=number)  # pyright: ignore[reportArgumentType]
        for number, one in enumerate(arguments)
    ]


def assert_same_loglikelihoods(ours: Any, theirs: Any) -> None:
    assert [greedy for _, greedy in ours] == [greedy for _, greedy in theirs]
    assert [value for value, _ in ours] == pytest.approx([value for value, _ in theirs], abs=1e-4)


def test_contexts_of_every_kind_are_scored_as_lm_eval_does(prefix: Any, hf: Any) -> None:
    requests = asked("loglikelihood", PAIRS)
    theirs = hf.loglikelihood(requests, disable_tqdm=True)
    assert_same_loglikelihoods(prefix.loglikelihood(requests, disable_tqdm=True), theirs)
    assert_same_loglikelihoods(prefix.loglikelihood(requests, disable_tqdm=True), theirs)  # what was joined before
    assert len({round(value, 3) for value, _ in theirs}) >= 10


def is_askable(lm: Any, context: str, ending: str) -> bool:
    """lm-eval refuses a pair of which one side is left without tokens."""
    if context == "":
        return len(lm.tok_encode(ending)) > 1
    return all(lm._encode_pair(context, ending))


texts = st.text(alphabet="Colour: redyw?\n ", max_size=40)


@settings(max_examples=25, deadline=None)
@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(["", SHOTS, SHOTS[:60]]), texts, texts.filter(lambda text: bool(text.strip()))),
        min_size=1,
        max_size=8,
    ),
    max_length=st.sampled_from([48, 512]),
    hold=st.booleans(),
)
def test_any_requests_are_scored_as_lm_eval_does(
    tiny: LoadedModel, pairs: list[tuple[str, str, str]], max_length: int, hold: bool
) -> None:
    ours = make(PrefixLM, tiny, max_length=max_length)
    texts_asked = [(stem + context, ending) for stem, context, ending in pairs]
    requests = asked("loglikelihood", [pair for pair in texts_asked if is_askable(ours, *pair)])
    if hold:
        ours.hold_prefix(SHOTS)
    theirs = make(HFLM, tiny, max_length=max_length, batch_size=4).loglikelihood(requests, disable_tqdm=True)
    assert_same_loglikelihoods(ours.loglikelihood(requests, disable_tqdm=True), theirs)


def test_a_held_prefix_is_not_computed_again(tiny: LoadedModel, hf: Any) -> None:
    ours = make(PrefixLM, tiny)
    ours.hold_prefix(SHOTS)
    held = len(ours.scorer.held)
    assert held > 32
    few = asked("loglikelihood", [pair for pair in PAIRS if pair[0].startswith(SHOTS + "Wh")])
    assert_same_loglikelihoods(ours.loglikelihood(few, disable_tqdm=True), hf.loglikelihood(few, disable_tqdm=True))
    assert ours.scorer.counts.computed < held + 40


def test_whole_texts_are_scored_in_windows_as_lm_eval_does(tiny: LoadedModel) -> None:
    requests = asked("loglikelihood_rolling", [("Which hue? " * 40,), ("Colour",), (SHOTS,)])
    ours, theirs = make(PrefixLM, tiny, max_length=64), make(HFLM, tiny, max_length=64, batch_size=2)
    assert ours.loglikelihood_rolling(requests, disable_tqdm=True) == pytest.approx(
        theirs.loglikelihood_rolling(requests, disable_tqdm=True), abs=1e-3
    )
    assert ours.loglikelihood_rolling([]) == []


def test_answers_are_generated_as_lm_eval_does(prefix: Any, tiny: LoadedModel) -> None:
    contexts = [SHOTS + "Which hue has a ripe banana?", SHOTS + "Snow?", "Coal", "word " * 150]
    kinds: list[dict[str, Any]] = [
        {"until": ["e"], "max_gen_toks": 20},
        {"until": "\n", "max_gen_toks": 9, "do_sample": False},
        {"max_gen_toks": 12, "temperature": 0.0},
        {"until": ["r"], "max_gen_toks": 5, "num_beams": 2},  # not greedy: lm-eval's own
    ]
    requests = asked("generate_until", [(context, kind) for context in contexts for kind in kinds])
    theirs = make(HFLM, tiny, batch_size=1).generate_until(requests, disable_tqdm=True)
    assert prefix.generate_until(requests, disable_tqdm=True) == theirs
    assert len(set(theirs)) > 5


def test_another_adapter_is_scored_without_encoding_again(tiny: LoadedModel, tiny_copy: LoadedModel) -> None:
    ours = make(PrefixLM, tiny)
    requests = asked("loglikelihood", PAIRS)
    ours.loglikelihood(requests, disable_tqdm=True)
    ours.switch_to(tiny_copy.model)
    ours.tokenizer = None  # nothing is left to encode with
    theirs = make(HFLM, tiny_copy, batch_size=3).loglikelihood(requests, disable_tqdm=True)
    assert_same_loglikelihoods(ours.loglikelihood(requests, disable_tqdm=True), theirs)


@pytest.fixture
def tiny_copy(load_tiny: Any) -> LoadedModel:
    """The tiny model with one layer changed, as an adapter would."""
    loaded = load_tiny()
    loaded.model.model.layers[1].mlp.down_proj.weight.data.mul_(-1.5)
    return loaded


def test_lm_evals_own_evaluation_takes_it(tiny: LoadedModel, hf: Any) -> None:
    rows = [{"q": f"Is {number} odd?", "options": ["yes", "no"], "label": (number + 1) % 2} for number in range(6)]
    config = {
        "task": "own",
        "custom_dataset": lambda **_: {"test": datasets.Dataset.from_list(rows)},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{q}}",
        "doc_to_choice": "options",
        "doc_to_target": "label",
    }
    assert get_model("harness-prefix") is PrefixLM

    def results(lm: Any) -> Any:
        told = lm_eval.simple_evaluate(
            model=lm,
            tasks=[ConfigurableTask(config=dict(config))],
            bootstrap_iters=0,
            task_manager=TaskManager(include_defaults=False),
        )
        assert told is not None
        return told["results"]["own"]

    assert results(make(PrefixLM, tiny)) == results(hf)


def test_lm_evals_command_line_makes_it_of_a_folder(tiny_model_folder: Path, hf: Any) -> None:
    made: Any = get_model("harness-prefix")
    lm = made.create_from_arg_string(f"pretrained={tiny_model_folder},row_tokens=64", {"device": "cpu"})
    requests = asked("loglikelihood", PAIRS)
    assert_same_loglikelihoods(
        lm.loglikelihood(requests, disable_tqdm=True), hf.loglikelihood(requests, disable_tqdm=True)
    )
