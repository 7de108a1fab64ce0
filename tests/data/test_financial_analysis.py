"""The shipped set `financial_analysis`: every reference is computed anew from the figures of its statement."""

import re
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from harness.config.experiment import load_experiment
from harness.config.yaml_file import read_yaml
from harness.data.corpus import load_corpus
from harness.data.golden import load_golden_set
from harness.data.normalise import normalise
from harness.data.overlap import find_overlaps
from harness.data.training import load_training_set
from harness.evaluation.scorers.figure import Figure
from harness.evaluation.scorers.numeric import is_right, value_correct
from harness.evaluation.scorers.numeric_answer import INSUFFICIENT, is_format_valid, parse_answer
from harness.evaluation.scorers.registry import scorers_for
from harness.evaluation.scorers.score import score_generation
from harness.evaluation.scorers.working import calculate
from harness.records.generations import Generation
from harness.records.items import GoldenSet, Item
from harness.records.training import TrainingRecord
from harness.systems.retrieval import Bm25Index

_ROOT = Path(__file__).parents[2]
_GOLDEN = _ROOT / "golden_sets" / "financial_analysis"
_EXPERIMENT = _ROOT / "suites" / "experiments" / "financial_analysis"
_CONSTANTS = frozenset({"100", "365", "1", "2", "4", "6", "1,000", "1,000,000"})
"""What a working may use besides the statement: per cent, days, averages, steps of growth, six months, thousands."""

_NUMBER = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")
_WRONG = re.compile(r"Wrong: ([^\[]+) \[")
_DECIMALS = {"no decimals": 0, "one decimal": 1, "two decimals": 2, "three decimals": 3}
_SUMS = """
brackwater-ferries: 18,476 = 48,620 - 30,144; 16,240 = 45,110 - 28,870; 7,240 = 18,476 - 11,236; 5,650 = 16,240 - 10,590
brackwater-ferries: 5,930 = 7,240 - 1,310; 4,505 = 5,650 - 1,145; 4,507 = 5,930 - 1,423; 3,379 = 4,505 - 1,126
corvane-software: 44,244 = 54,690 + 6,760 - 17,206; 30,932 = 38,560 + 6,270 - 13,898
corvane-software: -10,691 = 44,244 - 19,870 - 26,940 - 8,125; -15,300 = 30,932 - 16,440 - 22,310 - 7,482
hagenmoor-maschinenbau: 105,940 = 14,320 + 38,940 + 52,680; 95,630 = 11,050 + 35,210 + 49,370
hagenmoor-maschinenbau: 45,810 = 27,310 + 18,500; 46,640 = 25,640 + 21,000
hagenmoor-maschinenbau: 193,400 = 45,810 + 62,000 + 85,590; 179,750 = 46,640 + 58,000 + 75,110
quilvaris-pharma: 752.6 = 968.4 - 84.6 - 131.2; 909.7 = 921.7 - 12.0 - 0.0
millrace-bakeries: 7,515 = 6,315 + 3,480 - 412 - 655 + 538 - 1,246 - 505
millrace-bakeries: 7,464 = 5,940 + 3,295 - 268 - 190 + 407 - 1,180 - 540
nandika-textiles: 6,860 = 42,860 - 24,430 - 6,190 - 5,380; 5,455 = 39,415 - 23,255 - 5,720 - 4,985
nandika-textiles: 3,675 = 6,860 - 1,915 - 1,270; 2,230 = 5,455 - 1,830 - 1,395
fjellvang-kraft: 11,220 = 4,120 + 1,460 + 6,385 - 745; 1,981 = 1,895 + 182 - 96
serraluz-alimentos: 153,690 = 512,300 - 358,610; 135,981 = 468,900 - 332,919; 143,545 = 481,700 - 338,155
lindenhof-pflegedienste: 315,060 = 4,218,350 - 2,994,200 - 812,640 - 96,450
lindenhof-pflegedienste: 227,240 = 3,905,120 - 2,811,690 - 774,310 - 91,880
ochreveld-mining: 1,455 = 18,450 - 13,905 - 610 - 2,480; 6,935 = 21,320 - 13,640 - 745
vistulan-logistics: 22,450 = 184,200 - 41,350 - 67,920 - 52,480; 27,345 = 197,650 - 39,880 - 74,310 - 56,115
cindermoor-batteries: 18.6 = 30.0 - 9.3 - 2.1
"""


@pytest.fixture(scope="module")
def golden_set() -> GoldenSet:
    return load_golden_set(_GOLDEN)


@pytest.fixture(scope="module")
def records() -> tuple[TrainingRecord, ...]:
    return load_training_set(_EXPERIMENT / "train.jsonl").records


@pytest.fixture(scope="module")
def card() -> str:
    return (_GOLDEN / "card.md").read_text(encoding="utf-8")


def _value(calculation: str) -> Decimal:
    value = calculate(f"0 + {calculation}")  # a lone figure is no calculation
    assert value is not None, calculation
    return value


def _parts(answer: str) -> tuple[str, str]:
    """The working and the answer of a two-line text."""
    working, _, given = answer.partition("\nAnswer: ")
    return working.removeprefix("Working: "), given


def _computed(working: str, due: Figure) -> Decimal:
    """What a working comes to, rounded to the decimals of the figure."""
    return _value(working).quantize(Decimal(1).scaleb(-due.decimals), ROUND_HALF_UP)


def _numbers(text: str) -> set[str]:
    return set(_NUMBER.findall(text))


def _split(text: str) -> tuple[str, str]:
    """The statement and the question of an item or a record."""
    statement, _, question = text.rpartition("\n\n")
    return statement, question


def _figures(golden_set: GoldenSet) -> list[tuple[Item, str, Figure]]:
    """Each item that has a figure, with its working and the figure."""
    found = [(item, *_parts(item.references[0])) for item in golden_set.items]
    read = [(item, working, parse_answer(f"Answer: {given}")) for item, working, given in found]
    return [(item, working, due) for item, working, due in read if isinstance(due, Figure)]


def _unit(due: Figure) -> str:
    """`EUR thousand`, `%` and so on: what stands beside the number."""
    return " ".join(due.written.replace(_NUMBER.findall(due.written)[0], " ").replace("-", " ").split())


def test_every_reference_follows_from_its_working(golden_set: GoldenSet) -> None:
    for item, working, due in _figures(golden_set):
        assert _computed(working, due) == due.number, item.item_id


def test_every_working_uses_figures_of_its_statement_only(golden_set: GoldenSet) -> None:
    for item, working, _ in _figures(golden_set):
        statement, _ = _split(item.question)
        assert _numbers(working) - _CONSTANTS <= _numbers(statement), item.item_id
        assert _numbers(working) - _CONSTANTS, item.item_id


def test_no_reference_hangs_on_the_way_of_rounding(golden_set: GoldenSet) -> None:
    for item, working, due in _figures(golden_set):
        last_digits = abs(_value(working).scaleb(due.decimals)) % 1
        assert abs(last_digits - Decimal("0.5")) > Decimal("0.01"), item.item_id


def test_every_question_names_the_unit_and_the_decimals_of_its_reference(golden_set: GoldenSet) -> None:
    asked = {"%": ("%", "percent"), "pp": ("(pp)",), "x": ("in x",), "days": ("days",), "months": ("months",)}
    for item, _, due in _figures(golden_set):
        _, question = _split(item.question)
        unit = _unit(due)
        assert any(word in question.replace("per cent", "percent") for word in asked.get(unit, (unit,))), item.item_id
        decimals = [count for words, count in _DECIMALS.items() if words in question.lower()]
        assert (decimals or [0]) == [due.decimals], item.item_id


def test_plausible_mistakes_are_not_within_tolerance(golden_set: GoldenSet) -> None:
    seen = 0
    for item, _, due in _figures(golden_set):
        for expression in _WRONG.findall(item.notes or ""):
            mistaken = due.written.replace(f"{due.number:,f}", f"{_computed(expression, due):,f}")
            figure = parse_answer(f"Answer: {mistaken}")
            assert isinstance(figure, Figure)
            assert not is_right(figure, due), (item.item_id, mistaken)
            seen += 1
    assert seen > 100


def test_every_statement_adds_up(golden_set: GoldenSet) -> None:
    statements = {item.group: _split(item.question)[0] for item in golden_set.items}
    for line in _SUMS.strip().splitlines():
        group, _, sums = line.partition(": ")
        for one in sums.split("; "):
            total, parts = one.split(" = ")
            assert _value(total) == _value(parts), one
            assert _numbers(one) <= _numbers(statements[group]), one


def test_signs_and_steps_are_tagged(golden_set: GoldenSet) -> None:
    for item, working, due in _figures(golden_set):
        operations = re.findall(r" [-+*/^] ", re.sub(r"(?:100|365|1,000) \* ", "", working))
        assert ("multi_step" in item.tags) == (len(operations) >= 3), item.item_id
        assert due.number >= 0 or "negative" in item.tags, item.item_id


def test_items_of_a_group_ask_about_one_statement(golden_set: GoldenSet) -> None:
    groups: dict[str, set[str]] = {}
    for item in golden_set.items:
        assert item.group is not None
        groups.setdefault(item.group, set()).add("\n".join(item.question.splitlines()[:3]))
    assert len(groups) == 18
    assert all(len(heads) == 1 for heads in groups.values())


def test_every_reference_is_right_by_every_metric(golden_set: GoldenSet) -> None:
    scorers = scorers_for(golden_set)
    names = [scorer.metric.name for scorer in scorers]
    assert names == [
        "golden/value_correct",
        "golden/working_correct",
        "golden/abstention_correct",
        "golden/format_valid",
    ]
    for item in golden_set.items:
        answer = Generation(item_id=item.item_id, item_hash=item.item_hash, text=item.references[0])
        assert [score.value for score in score_generation(scorers, item, answer)] == [1.0] * 4, item.item_id


def test_no_reference_is_right_for_most_other_items(golden_set: GoldenSet) -> None:
    scorer = value_correct()
    for answer in golden_set.items:
        right = [item for item in golden_set.items if scorer.mark(item, answer.references[0]).value == 1.0]
        is_figure = INSUFFICIENT not in answer.references[0]
        assert len(right) <= (4 if is_figure else 13), answer.item_id


def test_what_cannot_be_answered_is_marked_and_asked_like_the_rest(golden_set: GoldenSet) -> None:
    for item in golden_set.items:
        working, given = _parts(item.references[0])
        assert (given == INSUFFICIENT) == ("missing_data" in item.tags), item.item_id
        assert given == INSUFFICIENT or item.kind != "out_of_scope", item.item_id
        if given == INSUFFICIENT:
            assert not set("*/") & set(working), item.item_id
            _, question = _split(item.question)
            assert any(words in question.lower() for words in (*_DECIMALS, "gbp thousand")), item.item_id


def test_training_answers_are_computed_from_their_own_statements(records: tuple[TrainingRecord, ...]) -> None:
    for record in records:
        assert is_format_valid(record.completion), record.line
        working, given = _parts(record.completion)
        due = parse_answer(record.completion)
        if given == INSUFFICIENT:
            assert not set("*/+") & set(working), record.line
            continue
        assert isinstance(due, Figure)
        statement, _ = _split(record.question)
        assert _computed(working, due) == due.number, record.line
        assert _numbers(working) - _CONSTANTS <= _numbers(statement), record.line


def test_about_a_tenth_of_the_training_set_is_unanswerable(records: tuple[TrainingRecord, ...]) -> None:
    abstaining = [record for record in records if INSUFFICIENT in record.completion]
    assert len(records) >= 180
    assert 0.08 <= len(abstaining) / len(records) <= 0.12


def test_training_and_golden_set_share_no_company_statement_or_question(
    golden_set: GoldenSet, records: tuple[TrainingRecord, ...]
) -> None:
    assert find_overlaps(records, golden_set.items) == []
    golden = {normalise(_split(item.question)[1]) for item in golden_set.items}
    assert not golden & {normalise(_split(record.question)[1]) for record in records}
    companies = {(record.group or "").split("-")[0] for record in records}
    assert len(companies) == 45
    for item in golden_set.items:
        assert not companies & set(re.findall(r"[a-z]+", item.question.lower())), item.item_id
    trained = "\n".join(record.question.lower() for record in records)
    for group in {item.group or "" for item in golden_set.items}:
        assert group.split("-")[0] not in trained


def test_the_corpus_gives_each_house_convention_to_the_question_that_needs_it(golden_set: GoldenSet) -> None:
    passages = load_corpus(_EXPERIMENT / "corpus.jsonl")
    assert len(passages) >= 40
    index = Bm25Index(passages)
    top_k = 5
    needed = {
        "fin-017": "ccc",
        "fin-022": "ebitda",
        "fin-047": "restated",
        "fin-051": "net-debt",
        "fin-054": "debt-to-equity",
        "fin-056": "roe",
        "fin-057": "roce",
        "fin-078": "dpo",
    }
    assert needed.keys() == {item.item_id for item in golden_set.items if "house_convention" in item.tags}
    for item in golden_set.items:
        found = [passage.passage_id for passage in index.search(item.question, top_k=top_k)]
        assert needed.get(item.item_id, found[0]) in found, item.item_id


def test_the_card_counts_what_is_there(golden_set: GoldenSet, card: str) -> None:
    def stated(head: str) -> dict[str, int]:
        table = card.partition(head)[2].partition("\n\n")[0]
        return {name: int(count) for name, count in re.findall(r"^\| (\w+) \| (\d+) \|", table, re.MULTILINE)}

    assert stated("| kind | items |") == Counter(item.kind for item in golden_set.items)
    assert stated("| tag | items | meaning |") == Counter(tag for item in golden_set.items for tag in item.tags)
    difficulties = Counter(item.difficulty for item in golden_set.items)
    assert f"Easy {difficulties['easy']}, medium {difficulties['medium']}, hard {difficulties['hard']}." in card


def test_the_experiment_loads_with_its_policy() -> None:
    experiment = load_experiment(_EXPERIMENT)
    assert set(experiment.systems) == {"zero_shot", "few_shot", "rag", "lora"}
    assert all(system.decoding.max_new_tokens <= 64 for system in experiment.systems.values())
    assert experiment.policy is not None


def test_every_criterion_of_the_rubric_has_five_levels() -> None:
    rubric = read_yaml(_GOLDEN / "rubric.yaml").content
    assert rubric["name"] == "financial_analysis"
    criteria = rubric["criteria"]
    assert isinstance(criteria, list)
    assert [criterion["id"] for criterion in criteria] == ["accuracy", "method", "units", "candour"]
    assert [sorted(criterion["levels"]) for criterion in criteria] == [[1, 2, 3, 4, 5]] * 4
    assert rubric["critical_error"]
