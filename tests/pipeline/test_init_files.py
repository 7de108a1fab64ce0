import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from harness.config.yaml_file import yaml_value
from harness.pipeline.init_files import yaml_text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_back_as_it_was_from_one_line(text: str) -> None:
    written = yaml_text(text)
    assert yaml_value(f"key: {written}\n") == {"key": text}
    assert len(yaml.safe_load(f"- {written}\n- after\n")) == 2
    assert "\n" not in written


@pytest.mark.parametrize(
    "text", ["true", "null", "1.0", "1e3", "2026-11-21", "no", "", " x", "a: b", "x #y", "*a", "{}"]
)
def test_what_yaml_would_take_for_something_else_is_quoted(text: str) -> None:
    assert yaml_text(text).startswith('"')


@pytest.mark.parametrize("text", ["capitals", "smollm2-135m-instruct", "owner/name-1.5", "Which is best?"])
def test_a_plain_word_stays_plain(text: str) -> None:
    assert yaml_text(text) == text
