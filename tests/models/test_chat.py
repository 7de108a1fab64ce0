import copy

import pytest

from harness.config.system import Prompt
from harness.errors import ModelError
from harness.models.chat import (
    build_messages,
    encode,
    render_example,
    render_prompt,
    template_hash,
    with_template,
)
from harness.models.load import LoadedModel
from harness.records.generations import Passage
from harness.records.messages import Message


def user(text: str) -> Message:
    return Message(role="user", content=text)


def assistant(text: str) -> Message:
    return Message(role="assistant", content=text)


def system(text: str) -> Message:
    return Message(role="system", content=text)


@pytest.fixture
def tokenizer(tiny: LoadedModel):
    """A tokenizer that a test may give another template."""
    return copy.deepcopy(tiny.tokenizer)


@pytest.fixture
def alpaca(tokenizer):
    tokenizer.chat_template = None
    assert with_template(tokenizer) == "alpaca"
    return tokenizer


TURNS = [system("Be brief."), user("Why?"), assistant("Because."), user("Really?")]


def test_a_chatml_prompt_is_rendered_to_the_letter(tokenizer) -> None:
    assert with_template(tokenizer) == "own"
    assert render_prompt(tokenizer, TURNS) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\nBecause.<|im_end|>\n"
        "<|im_start|>user\nReally?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_fallback_prompt_is_rendered_to_the_letter(alpaca) -> None:
    assert render_prompt(alpaca, TURNS) == (
        "Be brief.\n\n"
        "### Instruction:\nWhy?\n\n"
        "### Response:\nBecause.<|im_end|>\n\n"
        "### Instruction:\nReally?\n\n"
        "### Response:\n"
    )


def test_the_two_templates_have_two_hashes(tiny: LoadedModel, alpaca) -> None:
    assert template_hash(tiny.tokenizer) != template_hash(alpaca)


def test_a_model_without_a_template_is_loaded_with_the_fallback_and_says_so(
    tiny_model_folder_without_template, said
) -> None:
    from harness.models.load import load_model
    from harness.models.source import find_model

    source = find_model(str(tiny_model_folder_without_template))
    loaded = load_model(source, device="cpu", dtype="float32", trust_remote_code=False, say=said)
    assert loaded.template_name == "alpaca"
    assert said == ["tiny-llama-without-template has no chat template: prompts are rendered with the fallback `alpaca`"]
    assert render_prompt(loaded.tokenizer, [user("Why?")]) == "### Instruction:\nWhy?\n\n### Response:\n"


@pytest.mark.parametrize("name", ["tokenizer", "alpaca"])
def test_an_example_is_the_prompt_of_evaluation_and_then_the_answer(name: str, request) -> None:
    tokenizer = request.getfixturevalue(name)
    asked, answered = render_example(tokenizer, TURNS, "Yes, really.")
    assert asked == render_prompt(tokenizer, TURNS)
    assert answered.startswith("Yes, really.<|im_end|>")


def test_a_template_that_changes_the_prompt_once_it_is_answered_is_refused(tokenizer) -> None:
    # As some reasoning models do: what is to be answered gets a mark that vanishes afterwards.
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<think>' }}{% endif %}"
    )
    assert render_prompt(tokenizer, [user("Why?")]) == "user: Why?\n<think>"
    with pytest.raises(ModelError, match="renders the prompt differently when the answer follows"):
        render_example(tokenizer, [user("Why?")], "Because.")


def test_a_template_that_refuses_a_system_turn_says_what_to_try(tokenizer) -> None:
    tokenizer.chat_template = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system!') }}{% endif %}"
    with pytest.raises(ModelError, match=r"refuses these messages: No system!\. Without a system text"):
        render_prompt(tokenizer, [system("Be brief."), user("Why?")])


def test_special_tokens_come_from_the_template_alone(tiny: LoadedModel) -> None:
    ids = encode(tiny.tokenizer, render_prompt(tiny.tokenizer, [user("Why?")]))
    begin, end = tiny.tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    assert ids[0] == begin
    assert ids.count(begin) == 2
    assert ids.count(end) == 1
    assert tiny.tokenizer.bos_token_id not in ids


def test_the_prompts_system_text_comes_first() -> None:
    assert build_messages(Prompt(system="Be kind."), [user("Why?")]) == [system("Be kind."), user("Why?")]


def test_without_a_system_text_there_is_no_system_turn() -> None:
    assert build_messages(Prompt(), [user("Why?")]) == [user("Why?")]


def test_an_items_own_system_turn_replaces_the_prompts() -> None:
    assert build_messages(Prompt(system="Be kind."), TURNS) == TURNS


def test_shots_stand_between_the_system_text_and_the_item_framed_like_it() -> None:
    prompt = Prompt(system="Be kind.", template="Q: {input}")
    shots = [(user("1+1?"), assistant("2")), (user("2+2?"), assistant("4"))]
    assert build_messages(prompt, TURNS[1:], shots=shots) == [
        system("Be kind."),
        user("Q: 1+1?"),
        assistant("2"),
        user("Q: 2+2?"),
        assistant("4"),
        user("Why?"),
        assistant("Because."),
        user("Q: Really?"),
    ]


def test_passages_are_numbered_and_stand_around_the_framed_item() -> None:
    passages = [Passage(passage_id=name, text=f"About {name}.", score=1.0) for name in ("a", "b")]
    prompt = Prompt(template="Q: {input}", passages_template="<{passages}> {input}")
    assert build_messages(prompt, [user("Why?")], passages=passages) == [user("<[1] About a.\n[2] About b.> Q: Why?")]


def test_without_passages_there_is_no_place_for_them() -> None:
    assert build_messages(Prompt(passages_template="<{passages}> {input}"), [user("Why?")]) == [user("Why?")]


@pytest.mark.parametrize(
    "text", ["{input}", "{passages}", "{}", "{0}", "{{input}}", r"\1 \g<0>", "{'a': {'b': 1}}", "%s"]
)
def test_braces_in_a_text_stay_as_they_are(text: str) -> None:
    passage = Passage(passage_id="p", text=f"P {text}", score=1.0)
    prompt = Prompt(template="Q: {input}", passages_template="{passages}\n{input}")
    [message] = build_messages(prompt, [user(text)], passages=[passage])
    assert message.content == f"[1] P {text}\nQ: {text}"


def test_other_braces_in_a_template_stay_as_they_are() -> None:
    prompt = Prompt(template='Answer as {"code": "..."}: {input} {other}')
    assert build_messages(prompt, [user("Why?")]) == [user('Answer as {"code": "..."}: Why? {other}')]
