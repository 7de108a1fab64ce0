import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.models.chat import encode, render_prompt
from harness.models.generate import end_token_ids, generate, plan_batches, stream_batches
from harness.models.load import LoadedModel
from harness.records.messages import Message

QUESTIONS = (
    "What colour is grass?",
    "Sky?",
    "Tell me the colour of snow, please, and of anything else that looks like it.",
    "Coal",
    "What colour is a lemon? " * 6,
)


@pytest.fixture(scope="module")
def prompts(tiny: LoadedModel) -> list[list[int]]:
    return [encode(tiny.tokenizer, render_prompt(tiny.tokenizer, [Message(role="user", content=q)])) for q in QUESTIONS]


@given(
    lengths=st.lists(st.integers(1, 3000), max_size=60),
    max_new_tokens=st.integers(1, 512),
    batch_tokens=st.integers(1, 8192),
)
def test_batches_hold_every_prompt_once_longest_first_within_the_budget(
    lengths: list[int], max_new_tokens: int, batch_tokens: int
) -> None:
    batches = plan_batches(lengths, max_new_tokens=max_new_tokens, batch_tokens=batch_tokens)
    flat = [index for batch in batches for index in batch]
    assert sorted(flat) == list(range(len(lengths)))
    assert [lengths[index] for index in flat] == sorted(lengths, reverse=True)
    for batch in batches:
        padded = len(batch) * (max(lengths[index] for index in batch) + max_new_tokens)
        assert padded <= batch_tokens or len(batch) == 1


def test_a_batch_is_filled_up_to_the_budget() -> None:
    assert plan_batches([10, 30, 20, 30], max_new_tokens=10, batch_tokens=80) == [[1, 3], [2, 0]]
    assert plan_batches([10, 30, 20, 30], max_new_tokens=10, batch_tokens=79) == [[1], [3], [2, 0]]
    assert plan_batches([500], max_new_tokens=10, batch_tokens=79) == [[0]]
    assert plan_batches([], max_new_tokens=10, batch_tokens=79) == []


def test_a_batch_is_answered_as_each_prompt_alone(tiny: LoadedModel, prompts: list[list[int]]) -> None:
    together = generate(tiny, prompts, max_new_tokens=12)
    alone = [generate(tiny, [prompt], max_new_tokens=12)[0] for prompt in prompts]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.tokens for one in together] == [one.tokens for one in alone]
    assert len({one.text for one in alone}) > 1  # else the test could not fail


def test_an_answer_is_what_greedy_search_by_hand_gives(tiny: LoadedModel, prompts: list[list[int]]) -> None:
    ids = list(prompts[0])
    for _ in range(6):
        with torch.inference_mode():
            ids.append(int(tiny.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    said = ids[len(prompts[0]) :]
    assert not set(said) & end_token_ids(tiny)
    [completion] = generate(tiny, [prompts[0]], max_new_tokens=6)
    assert completion.text == tiny.tokenizer.decode(said).strip()
    assert (completion.tokens, completion.finish_reason) == (6, "length")
    assert completion.latency_s > 0


def always(loaded: LoadedModel, then: list[int]) -> None:
    """Makes the model say the tokens of `then`, one after another, whatever it is asked."""
    generate(loaded, [[5]], max_new_tokens=1)  # what is checked on first use is none of them
    said = iter(then)

    def say_next(module, inputs, logits):
        planted = torch.full_like(logits, -100.0)
        planted[..., next(said)] = 100.0
        return planted

    loaded.model.lm_head.register_forward_hook(say_next)


def test_an_answer_stops_at_the_end_mark(load_tiny: Callable[[], LoadedModel]) -> None:
    loaded = load_tiny()
    yes, no = encode(loaded.tokenizer, "YN")
    always(loaded, [yes, no, loaded.tokenizer.eos_token_id])
    [completion] = generate(loaded, [[yes]], max_new_tokens=10)
    assert (completion.text, completion.tokens, completion.finish_reason) == ("YN", 3, "stop")


def test_an_answer_that_ends_on_its_last_token_has_stopped(load_tiny: Callable[[], LoadedModel]) -> None:
    loaded = load_tiny()
    [yes] = encode(loaded.tokenizer, "Y")
    always(loaded, [yes, loaded.tokenizer.eos_token_id])
    [completion] = generate(loaded, [[yes]], max_new_tokens=2)
    assert (completion.text, completion.tokens, completion.finish_reason) == ("Y", 2, "stop")


def test_an_answer_may_be_empty(load_tiny: Callable[[], LoadedModel]) -> None:
    loaded = load_tiny()
    always(loaded, [loaded.tokenizer.eos_token_id])
    [completion] = generate(loaded, [[5]], max_new_tokens=4)
    assert (completion.text, completion.tokens, completion.finish_reason) == ("", 1, "stop")


def test_a_models_own_end_marks_end_an_answer_too(load_tiny: Callable[[], LoadedModel]) -> None:
    loaded = load_tiny()
    yes, stop = encode(loaded.tokenizer, "Y!")
    loaded.model.generation_config.eos_token_id = [stop, loaded.tokenizer.eos_token_id]
    assert end_token_ids(loaded) == {stop, loaded.tokenizer.eos_token_id}
    always(loaded, [yes, stop])
    [completion] = generate(loaded, [[yes]], max_new_tokens=10)
    assert (completion.text, completion.finish_reason) == ("Y", "stop")


@pytest.mark.parametrize(
    "settings",
    [
        {"do_sample": True, "temperature": 5.0, "top_k": 3},
        {"repetition_penalty": 9.0},
        {"no_repeat_ngram_size": 1},
        {"num_beams": 4},
        {"min_new_tokens": 12},
        {"max_length": 3},
        {"suppress_tokens": list(range(300))},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_decoding_is_greedy_whatever_the_models_own_settings_are(
    load_tiny: Callable[..., LoadedModel],
    tiny: LoadedModel,
    tiny_model_folder: Path,
    tmp_path: Path,
    prompts: list[list[int]],
    settings: dict[str, object],
) -> None:
    folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "other"))
    own = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(own | settings))
    loaded = load_tiny(folder)
    assert generate_texts(loaded, prompts[:2]) == generate_texts(tiny, prompts[:2])
    assert end_token_ids(loaded) == end_token_ids(tiny)


def generate_texts(loaded: LoadedModel, prompts: list[list[int]]) -> list[str]:
    return [one.text for one in generate(loaded, prompts, max_new_tokens=10)]


def test_streamed_completions_carry_the_index_of_their_prompt(tiny: LoadedModel, prompts: list[list[int]]) -> None:
    batches = list(stream_batches(tiny, prompts, max_new_tokens=4, batch_tokens=200))
    assert len(batches) > 1
    by_index = {index: completion.text for batch in batches for index, completion in batch}
    assert [by_index[i] for i in range(len(prompts))] == [one.text for one in generate(tiny, prompts, max_new_tokens=4)]


def test_nothing_asked_is_nothing_answered(tiny: LoadedModel) -> None:
    assert list(stream_batches(tiny, [], max_new_tokens=4, batch_tokens=200)) == []
