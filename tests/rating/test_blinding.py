import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.rating.blinding import MASK, mask, names_to_mask

NAMES = names_to_mask(
    ["lora", "few_shot", "human", "rag", "sentinel_alpha"],
    ["HuggingFaceTB/SmolLM2-135M-Instruct", "models/tiny-model-7b"],
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("I am SmolLM2, trained by Hugging Face.", f"I am {MASK}, trained by {MASK}."),
        ("As GPT-4o I cannot", f"As {MASK} I cannot"),
        ("I'm Claude.", f"I'm {MASK}."),
        ("Llama 3.1 8B instruct says", f"{MASK} says"),
        ("few-shot, fewshot, FEW_SHOT", f"{MASK}, {MASK}, {MASK}"),
        ("smollm2 135m instruct!", f"{MASK}!"),
        ("developed by Google. See Google Scholar.", f"developed by {MASK}. See Google Scholar."),
        ("ChatGPT-4 and Qwen2.5-7B", f"{MASK} and {MASK}"),
        ("sentinel-alpha", MASK),
        ("tiny model 7b", MASK),
    ],
)
def test_names_of_models_and_makers_are_masked_in_any_spelling(text: str, masked: str) -> None:
    assert mask(text, NAMES) == (masked, True)


@pytest.mark.parametrize(
    "text",
    [
        "human papillomavirus, lorazepam, a rag",
        "Claude Monet painted a llama with meta-analysis",
        "C34.1, Z51.11; phi 2; a fragment of explorations",
        "",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert mask(text, NAMES) == (text, False)


@given(st.text(max_size=300))
def test_masking_twice_is_masking_once_and_says_whether_anything_changed(text: str) -> None:
    once, changed = mask(text, NAMES)
    assert changed == (once != text) or MASK in text
    assert mask(once, NAMES)[0] == once


def test_no_answer_makes_the_search_slow() -> None:
    for hostile in ("llama" + "1" * 20_000, "few" + "-" * 20_000, "I am " * 4_000, "llama " * 4_000):
        masked, _ = mask(hostile, NAMES)
        assert len(masked) <= len(hostile) + len(MASK) * 4_000


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("I am Smol\u200bLM2.", f"I am {MASK}."),
        ("Chat\u00adGPT", MASK),
        ("sentinel\u2060_\u202ealpha", MASK),
        ("\uff23\uff28\uff21\uff34\uff27\uff30\uff34 said", f"{MASK} said"),
    ],
)
def test_invisible_characters_and_wide_letters_hide_no_name(text: str, masked: str) -> None:
    assert mask(text, NAMES) == (masked, True)


def test_text_without_a_hidden_name_keeps_its_invisible_characters() -> None:
    text = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645, \U0001f468\u200d\U0001f469"
    assert mask(text, NAMES) == (text, False)
