from pathlib import Path

import pytest

from tests.reports.ledger import BASE, FAILED, HOSTILE, LORA, ZERO


def test_two_runs_are_compared_with_interval_counts_and_method(show, said, built: Path) -> None:
    text = said(show(built, "comparison", candidate=LORA, baseline=ZERO))
    assert "lora against zero_shot" in text
    assert "+25.0 points" in text
    assert "10 / 5 / 5" in text
    assert "mid-p McNemar" in text
    assert "Only lora has regression/mmlu/acc: zero_shot was not measured on it." in text


def test_the_worst_regressions_come_first_with_both_answers_and_passages(show, said, built: Path) -> None:
    app = show(built, "comparison", candidate=LORA, baseline=ZERO)
    listed = app.dataframe[0].value
    assert list(listed["item"]) == ["item-01", "item-05", "item-09", "item-13", "item-17"]
    assert set(listed["outcome"]) == {"worse"}
    text = said(app)
    assert f"lora says {HOSTILE}" in text
    assert f"zero_shot says {HOSTILE}" in text
    assert "1. about-<b>colours</b> (retriever's score 1.5)" in text


@pytest.mark.parametrize(("outcome", "n"), [("all", 20), ("worse", 5), ("better", 10), ("same", 5)])
def test_the_filter_is_in_the_url(show, built: Path, outcome: str, n: int) -> None:
    app = show(built, "comparison", candidate=LORA, baseline=ZERO, show=outcome)
    assert len(app.dataframe[0].value) == n


def test_a_link_with_an_item_shows_that_item(show, said, built: Path) -> None:
    query = {"candidate": LORA, "baseline": ZERO, "metric": "golden/overlap", "show": "better", "item": "item-07"}
    app = show(built, "comparison", **query)
    assert "<b>item-07</b>" in said(app)
    assert "lora says 1" in said(app)
    assert "zero_shot says 0" in said(app)


def test_answers_lost_are_counted_by_subject(show, said, built: Path) -> None:
    text = said(show(built, "comparison", candidate=LORA, baseline=BASE))
    assert "1 right to wrong, 1 wrong to right" in text
    assert "mmlu/anatomy/0" in text
    assert "The ledger holds the scores of this regression item, not its text." in text


def test_choosing_another_baseline_is_kept_in_the_url(show, said, built: Path) -> None:
    app = show(built, "comparison", candidate=LORA, baseline=ZERO, item="item-05")
    app.selectbox[1].set_value(BASE).run()
    assert app.query_params["baseline"] == BASE
    assert "item" not in app.query_params
    assert "lora against base" in said(app)


def test_runs_without_a_metric_in_common_are_set_apart_with_the_reason(show, said, built: Path) -> None:
    text = said(show(built, "comparison", candidate=ZERO, baseline=BASE))
    assert "nothing can be compared" in text


def test_a_failed_run_cannot_be_compared_and_that_is_said(show, said, built: Path) -> None:
    text = said(show(built, "comparison", candidate=FAILED, baseline=ZERO))
    assert f"&quot;{FAILED}&quot; is not one of the choices" in text
    assert "lora against zero_shot" in text
