import pytest

from harness.config.augment_steps import Damage
from harness.data.augment_damage import damaged


@pytest.mark.parametrize(
    ("rule", "answer", "made"),
    [
        ("drop_first_line", "Codes:\n- I10", "- I10"),
        ("drop_first_line", "I10", "I10"),
        ("drop_first_line", "Codes:\n", "Codes:"),
        ("join_lines", "Codes:\n- I10\n- E11", "Codes: - I10 - E11"),
        ("join_lines", "I10", "I10"),
        ("cut_off", "finance", "fina"),
        ("cut_off", "a", "a"),
        ("repeat", "I10", "I10\nI10"),
        ("wrap", "I10", "It is I10."),
        ("change_digit", "none", "none"),
    ],
)
def test_a_rule_does_what_it_says_or_leaves_the_answer(rule: Damage, answer: str, made: str) -> None:
    assert damaged(rule, answer, wrap="It is {answer}.", lot="17") == made


def test_one_digit_is_another_and_the_lot_decides_which() -> None:
    answers = {damaged("change_digit", "E78.00", wrap=None, lot=str(lot)) for lot in range(50)}
    assert all(sum(a != b for a, b in zip(one, "E78.00", strict=True)) == 1 for one in answers)
    assert len(answers) > 10
    assert all(one.startswith("E") for one in answers)
    again = {damaged("change_digit", "E78.00", wrap=None, lot="3") for _ in range(3)}
    assert len(again) == 1
