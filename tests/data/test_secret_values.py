import math

import pytest

from harness.data.secret_values import entropy_bits, secret_values

BODY = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC2eF4hJ6"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ASIA" + "QWERTYUIOP123456", "AWS access key"),
        ("ghp" + "_" + BODY, "GitHub token"),
        ("xoxb" + "-1234567890-abc", "Slack token"),
        ("glpat" + "-" + BODY[:20], "GitLab token"),
        ("hf" + "_" + BODY, "Hugging Face token"),
        ("sk" + "-proj-" + BODY, "API key (sk-)"),
        ("AI" + "za" + BODY[:35], "Google API key"),
        ("eyJ" + "hbGciOiJI.eyJ" + "zdWIiOiIx.abcdefgh12", "JSON web token"),
        ("-----BEGIN " + "OPENSSH PRIVATE KEY-----", "private key"),
        ("api_key = 'abc" + "d1234'", "password or key with its name"),
        (BODY[:36] + "xR8", "long string that looks random"),
    ],
)
def test_each_kind_is_found_once(text: str, kind: str) -> None:
    assert [one.kind for one in secret_values(f"It is {text} there.")] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "The password is never written down.",
        "Her secret: patience and practice.",
        "sk-learn-style-estimators-are-easy",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "Pneumonoultramicroscopicsilicovolcanoconiosis",
        "https://www.cms.gov/medicare/coding-billing/icd-10-codes/downloads",
        "A token of respect, in 2021.",
        "",
    ],
)
def test_plain_text_holds_no_secret(text: str) -> None:
    assert secret_values(text) == []


def test_entropy_is_that_of_the_characters() -> None:
    assert entropy_bits("aaaa") == 0
    assert entropy_bits("abab") == 1
    assert math.isclose(entropy_bits("0123456789abcdef"), 4)
