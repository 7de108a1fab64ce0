import pytest

from harness.models.chat import encode, render_prompt
from harness.models.generate import generate
from harness.models.load import LoadedModel, load_model
from harness.models.source import find_model
from harness.records.messages import Message

pytestmark = pytest.mark.usefixtures("real_model")


@pytest.fixture(scope="module")
def smollm2() -> LoadedModel:
    """SmolLM2-135M-Instruct from the user's cache, where `make model` put it."""
    source = find_model("smollm2-135m-instruct")
    return load_model(source, device="cpu", dtype="auto", trust_remote_code=False, say=lambda text: None)


def test_the_catalogs_model_answers_a_question(smollm2: LoadedModel) -> None:
    question = [Message(role="user", content="What is the capital of France?")]
    prompt = render_prompt(smollm2.tokenizer, question)
    [completion] = generate(smollm2, [encode(smollm2.tokenizer, prompt)], max_new_tokens=16)
    assert completion.text == "The capital of France is Paris."
    assert completion.finish_reason == "stop"


def test_its_template_puts_in_a_system_text_where_none_is_given(smollm2: LoadedModel) -> None:
    assert smollm2.template_name == "own"
    assert "You are a helpful AI assistant named SmolLM" in render_prompt(
        smollm2.tokenizer, [Message(role="user", content="Why?")]
    )
    assert smollm2.context_tokens == 8192
