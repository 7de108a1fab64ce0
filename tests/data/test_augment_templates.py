from pathlib import Path

import pytest

from harness.config.augment import Plan
from harness.data.augment_made import Candidate, Maker
from harness.data.augment_templates import filled, templated
from harness.errors import ConfigError, DataError


def make(beside: Path, step: dict[str, object], *, seed: int = 17) -> list[tuple[object, object]]:
    plan = Plan.model_validate({"name": "p", "steps": [{"name": "s", "template": step}]})
    template = plan.steps[0].template
    assert template is not None
    maker = Maker(plan=plan, step=plan.steps[0], seed=seed, origin="template")
    made = templated(template, maker, "prompt_completion", beside=beside)
    assert all(isinstance(one, Candidate) for one in made)
    return [(one.value["prompt"], one.value["completion"]) for one in made if isinstance(one, Candidate)]


TABLED: dict[str, object] = {"prompt": "{who} has {finding}.", "completion": "{code}", "table": "t.csv"}


def test_only_names_in_braces_are_filled_and_values_are_not_looked_into() -> None:
    assert filled('{"a": {x}} {y} { x }', {"x": "{y}", "y": "1"}) == '{"a": {y}} 1 { x }'


def test_columns_of_a_table_vary_together(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("finding;code;note\ngout;M10.9;x\nfever;R50.9;\n")
    made = make(tmp_path, TABLED | {"variables": {"who": ["He", "She"]}})
    assert made == [
        ("He has gout.", "M10.9"),
        ("She has gout.", "M10.9"),
        ("He has fever.", "R50.9"),
        ("She has fever.", "R50.9"),
    ]


def test_a_table_may_be_jsonl_with_numbers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").unlink(missing_ok=True)
    (tmp_path / "t.jsonl").write_text('{"n": 7, "m": 2.5}\n')
    assert make(tmp_path, {"prompt": "Is {n} odd?", "completion": "{m}", "table": "t.jsonl"}) == [("Is 7 odd?", "2.5")]


def test_what_a_table_lacks_is_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("finding,code\ngout,M10.9\nfever,\n")
    with pytest.raises(ConfigError, match=r"step s, with the table .*\n.*\{who\} is neither"):
        make(tmp_path, TABLED)
    with pytest.raises(ConfigError, match='"finding" is a column of the table too'):
        make(tmp_path, TABLED | {"variables": {"who": ["He"], "finding": ["x"]}})
    with pytest.raises(DataError, match=r't.csv:3: "code" is empty'):
        make(tmp_path, TABLED | {"variables": {"who": ["He"]}})
    with pytest.raises(DataError, match="no such file"):
        make(tmp_path, TABLED | {"variables": {"who": ["He"]}, "table": "other.csv"})


def test_a_sample_is_drawn_without_making_all_combinations(tmp_path: Path) -> None:
    digits = [str(n) for n in range(10)]
    many = {"prompt": "{a}{b}{c}{d}{e}{f}{g}{h}", "completion": "x", "variables": dict.fromkeys("abcdefgh", digits)}
    with pytest.raises(ConfigError, match=r"100,000,000 combinations.*`sample: 200`"):
        make(tmp_path, many)
    made = make(tmp_path, many | {"sample": 50})
    assert len({prompt for prompt, _ in made}) == 50
    assert made == make(tmp_path, many | {"sample": 50})
    assert made != make(tmp_path, many | {"sample": 50}, seed=18)


def test_a_sample_of_more_than_there_are_is_all(tmp_path: Path) -> None:
    few = {"prompt": "{a}", "completion": "x", "variables": {"a": ["1", "2"]}, "sample": 3}
    assert [prompt for prompt, _ in make(tmp_path, few)] == ["1", "2"]
