from collections.abc import Collection, Sequence

import pytest

from harness.config.system import Decoding, Prompt
from harness.hashing import content_hash
from harness.models.chat import encode, render_prompt
from harness.models.generate import generate
from harness.models.load import LoadedModel
from harness.records.generations import Generation, Passage
from harness.records.items import Item
from harness.records.messages import Message
from harness.systems.local import LocalSystem

DECODING = Decoding(max_new_tokens=5, batch_tokens=400)
SHOTS = (
    (Message(role="user", content="Grass?"), Message(role="assistant", content="green")),
    (Message(role="user", content="Snow?"), Message(role="assistant", content="white")),
)


def item(name: str, text: str) -> Item:
    return Item(item_id=name, input=(Message(role="user", content=text),), references=("x",))


ITEMS = [item("a", "What colour is a lemon?"), item("b", "Sky?"), item("c", "And coal, what colour has it, please?")]


def answers(system: LocalSystem, items: Sequence[Item]) -> dict[str, Generation]:
    generations = [generation for batch in system(items) for generation in batch]
    assert len({generation.item_id for generation in generations}) == len(generations)
    return {generation.item_id: generation for generation in generations}


def test_every_item_is_answered_with_what_was_shown_and_counted(tiny: LoadedModel) -> None:
    system = LocalSystem(loaded=tiny, prompt=Prompt(system="Be brief."), decoding=DECODING)
    answered = answers(system, ITEMS)
    assert sorted(answered) == ["a", "b", "c"]
    for one in ITEMS:
        generation = answered[one.item_id]
        ids = encode(
            tiny.tokenizer,
            render_prompt(tiny.tokenizer, [Message(role="system", content="Be brief."), *one.input]),
        )
        [expected] = generate(tiny, [ids], max_new_tokens=5)
        assert generation.text == expected.text
        assert generation.finish_reason == expected.finish_reason
        assert (generation.prompt_tokens, generation.completion_tokens) == (len(ids), expected.tokens)
        assert generation.prompt_hash == content_hash(ids)
        assert generation.item_hash == one.item_hash
        assert generation.latency_s > 0
        assert generation.error is None
        assert generation.passages == ()


def test_batches_are_those_of_all_items_whatever_is_answered_already(tiny: LoadedModel) -> None:
    # Of equal prompts all but the last token is shared, and shared tokens do not count.
    pairs = Decoding(max_new_tokens=5, batch_tokens=2 * (1 + 5))
    system = LocalSystem(loaded=tiny, prompt=Prompt(), decoding=pairs)
    items = [item("long", "word " * 600), *(item(name, "Sky?") for name in "abcdef")]

    def batches(answered: Collection[str]) -> list[str]:
        return ["".join(generation.item_id for generation in batch) for batch in system(items, answered)]

    assert batches(()) == ["long", "ab", "cd", "ef"]
    assert batches({"long", "a", "c", "d"}) == ["ab", "ef"]
    assert batches({one.item_id for one in items}) == []


def test_an_item_too_long_for_the_model_fails_alone(tiny: LoadedModel) -> None:
    system = LocalSystem(loaded=tiny, prompt=Prompt(), decoding=DECODING)
    answered = answers(system, [*ITEMS, item("long", "word " * 600)])
    failed = answered["long"]
    assert failed.text is None
    assert failed.error == f"the prompt has {failed.prompt_tokens} tokens, and 507 fit beside the answer"
    assert failed.finish_reason is None
    assert all(answered[name].text is not None for name in "abc")


def test_the_longest_prompt_that_fits_is_answered(tiny: LoadedModel) -> None:
    system = LocalSystem(loaded=tiny, prompt=Prompt(), decoding=DECODING)
    frame = len(system.prompt_ids([Message(role="user", content="")]))
    fits, does_not = item("fits", "~" * (507 - frame)), item("does-not", "~" * (508 - frame))
    assert len(system.prompt_ids(fits.input)) == 507
    answered = answers(system, [fits, does_not])
    assert answered["fits"].error is None
    assert answered["does-not"].error is not None


def test_shots_are_shown_as_earlier_turns(tiny: LoadedModel) -> None:
    system = LocalSystem(loaded=tiny, prompt=Prompt(template="Q: {input}"), decoding=DECODING, shots=SHOTS)
    assert tiny.tokenizer.decode(system.prompt_ids(ITEMS[1].input)) == (
        "<|im_start|>user\nQ: Grass?<|im_end|>\n<|im_start|>assistant\ngreen<|im_end|>\n"
        "<|im_start|>user\nQ: Snow?<|im_end|>\n<|im_start|>assistant\nwhite<|im_end|>\n"
        "<|im_start|>user\nQ: Sky?<|im_end|>\n<|im_start|>assistant\n"
    )


def retrieve(text: str) -> tuple[Passage, ...]:
    """A retriever that finds one passage about the sky, whatever else is asked."""
    return (Passage(passage_id="p", text="The sky is blue.", score=2.5),) if "Sky" in text else ()


def test_passages_are_shown_and_kept_with_the_answer(tiny: LoadedModel) -> None:
    system = LocalSystem(loaded=tiny, prompt=Prompt(), decoding=DECODING, retrieve=retrieve)
    assert "[1] The sky is blue.\n\nSky?" in tiny.tokenizer.decode(system.prompt_ids(ITEMS[1].input))
    answered = answers(system, ITEMS)
    assert answered["b"].passages == retrieve("Sky")
    assert answered["a"].passages == ()


def test_passages_are_kept_with_an_item_that_is_too_long(tiny: LoadedModel) -> None:
    system = LocalSystem(loaded=tiny, prompt=Prompt(), decoding=DECODING, retrieve=retrieve)
    assert answers(system, [item("long", "Sky " * 600)])["long"].passages == retrieve("Sky")


def test_what_is_searched_for_is_the_last_turn(tiny: LoadedModel) -> None:
    asked: list[str] = []

    def remember(text: str) -> tuple[Passage, ...]:
        asked.append(text)
        return ()

    turns = [Message(role="user", content="Hello"), Message(role="assistant", content="Yes?")]
    system = LocalSystem(loaded=tiny, prompt=Prompt(template="Q: {input}"), decoding=DECODING, retrieve=remember)
    system.messages([*turns, Message(role="user", content="Why is it blue?")])
    assert asked == ["Why is it blue?"]


@pytest.mark.parametrize("batch_tokens", [1, 100, 10_000])
def test_answers_do_not_depend_on_how_they_are_batched(tiny: LoadedModel, batch_tokens: int) -> None:
    def texts(tokens: int) -> dict[str, str | None]:
        decoding = Decoding(max_new_tokens=5, batch_tokens=tokens)
        system = LocalSystem(loaded=tiny, prompt=Prompt(), decoding=decoding)
        return {name: generation.text for name, generation in answers(system, ITEMS).items()}

    assert texts(batch_tokens) == texts(200)


def test_no_items_are_no_answers(tiny: LoadedModel) -> None:
    assert list(LocalSystem(loaded=tiny, prompt=Prompt(), decoding=DECODING)([])) == []
