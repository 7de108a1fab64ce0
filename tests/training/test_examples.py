from collections.abc import Callable, Sequence

import pytest

from harness.config.system import Prompt
from harness.errors import TrainingError
from harness.models.chat import build_messages, encode, render_prompt
from harness.models.load import LoadedModel
from harness.records.messages import Message
from harness.records.training import TrainingRecord
from harness.training.examples import IGNORED, Example, encode_examples, loss_share

PROMPT = Prompt(system="Answer with a colour.", template="Q: {input}")


def frame(turns: Sequence[Message]) -> list[Message]:
    return build_messages(PROMPT, turns)


def record(question: str, answer: str, line: int = 1) -> TrainingRecord:
    return TrainingRecord(prompt=(Message(role="user", content=question),), completion=answer, line=line)


@pytest.fixture(params=["own template", "fallback"])
def loaded(request, tiny: LoadedModel, load_tiny: Callable[..., LoadedModel], tiny_model_folder_without_template):
    return tiny if request.param == "own template" else load_tiny(tiny_model_folder_without_template)


def test_the_loss_falls_on_the_answer_and_its_end_mark_only(loaded: LoadedModel) -> None:
    [example] = encode_examples(loaded, [record("Grass?", "Green it is.")], frame, max_length_tokens=None)
    learned = [label for label in example.labels if label != IGNORED]
    assert loaded.tokenizer.decode(learned) == "Green it is.<|im_end|>"
    assert example.labels[: example.prompt_tokens] == [IGNORED] * example.prompt_tokens
    assert len(example.labels) == len(example.input_ids)
    assert example.labels[example.prompt_tokens :] == example.input_ids[example.prompt_tokens :]


def test_the_prompt_is_the_one_of_evaluation(loaded: LoadedModel) -> None:
    asked = record("Grass?", "Green.")
    [example] = encode_examples(loaded, [asked], frame, max_length_tokens=None)
    assert example.prompt_ids == encode(loaded.tokenizer, render_prompt(loaded.tokenizer, frame(asked.prompt)))


def test_an_answer_ends_with_one_end_mark(loaded: LoadedModel) -> None:
    [example] = encode_examples(loaded, [record("Grass?", "Green.")], frame, max_length_tokens=None)
    answer = example.input_ids[example.prompt_tokens :]
    assert answer[-1] == loaded.tokenizer.eos_token_id
    assert answer.count(loaded.tokenizer.eos_token_id) == 1


def test_an_answer_gets_an_end_mark_where_the_template_writes_none(load_tiny: Callable[[], LoadedModel]) -> None:
    loaded = load_tiny()
    loaded.tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    [example] = encode_examples(loaded, [record("Grass?", "Green.")], frame, max_length_tokens=None)
    assert loaded.tokenizer.decode(example.input_ids[example.prompt_tokens :]) == "Green.\n<|im_end|>"


def test_records_that_would_be_cut_are_an_error_with_their_lines(tiny: LoadedModel) -> None:
    records = [record("Grass?", "Green.", 1), record("Snow?", "White " * 50, 2), record("Coal? " * 40, "Black.", 5)]
    [short, *_] = encode_examples(tiny, records[:1], frame, max_length_tokens=None)
    limit = len(short.input_ids)
    assert encode_examples(tiny, records[:1], frame, max_length_tokens=limit) == [short]
    with pytest.raises(TrainingError) as error:
        encode_examples(tiny, records, frame, max_length_tokens=limit)
    said = str(error.value).splitlines()
    assert said[0].endswith("2 problems")
    assert [line.strip().partition(":")[0] for line in said[1:3]] == ["line 2", "line 5"]
    assert f"at most {limit} fit" in said[1]
    assert "finetune.max_length_tokens" in said[3]


def test_nothing_is_longer_than_the_models_context_whatever_is_allowed(tiny: LoadedModel) -> None:
    with pytest.raises(TrainingError, match="at most 512 fit"):
        encode_examples(tiny, [record("Grass?", "Green " * 600)], frame, max_length_tokens=10_000)


def test_an_end_mark_inside_an_answer_is_an_error_and_not_a_cut(tiny: LoadedModel) -> None:
    records = [record("Grass?", "Green.", 1), record("Snow?", "White<|im_end|> and cold", 2)]
    with pytest.raises(TrainingError, match="line 2: the model's end mark stands inside the answer"):
        encode_examples(tiny, records, frame, max_length_tokens=None)


def test_every_record_is_an_example_in_order(tiny: LoadedModel) -> None:
    records = [record(f"Grass {number}?", "Green.", number) for number in range(1, 6)]
    examples = encode_examples(tiny, records, frame, max_length_tokens=None)
    assert [f"Grass {number}?" in tiny.tokenizer.decode(e.prompt_ids) for number, e in enumerate(examples, 1)] == [
        True
    ] * 5


def test_the_loss_share_counts_tokens() -> None:
    # 1 of 4 and 3 of 6 tokens carry loss: 4 of 10 (not the mean of the shares, 0.375).
    examples = [Example(input_ids=[1] * 4, prompt_tokens=3), Example(input_ids=[1] * 6, prompt_tokens=3)]
    assert loss_share(examples) == pytest.approx(0.4)
    assert loss_share([Example(input_ids=[1, 2], prompt_tokens=0)]) == 1.0
