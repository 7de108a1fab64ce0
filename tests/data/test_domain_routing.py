"""The shipped set `domain_routing` keeps what its card says of it."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations, pairwise, product
from pathlib import Path

import pytest

from harness.config.experiment import load_experiment
from harness.config.yaml_file import read_yaml
from harness.data.corpus import load_corpus
from harness.data.golden import load_golden_set
from harness.data.jsonl import scan_jsonl
from harness.data.normalise import normalised_words
from harness.data.overlap import find_overlaps
from harness.data.training import load_training_set
from harness.evaluation.scorers.registry import scorers_for
from harness.evaluation.scorers.score import score_generation
from harness.records.generations import Generation
from harness.records.items import GoldenSet, Item
from harness.records.training import TrainingRecord
from harness.systems.shots import draw_shots

_ROOT = Path(__file__).parents[2]
_GOLDEN = _ROOT / "golden_sets" / "domain_routing"
_EXPERIMENT = _ROOT / "suites" / "experiments" / "domain_routing"
_LABELS: tuple[str, ...] = ("finance", "legal", "medical")
_RULES = range(1, 7)
_NEAR_DUPLICATE = 0.25  # Jaccard index of pairs of neighbouring words


@pytest.fixture(scope="module")
def golden_set() -> GoldenSet:
    return load_golden_set(_GOLDEN)


@pytest.fixture(scope="module")
def records() -> tuple[TrainingRecord, ...]:
    return load_training_set(_EXPERIMENT / "train.jsonl").records


@pytest.fixture(scope="module")
def card() -> str:
    return (_GOLDEN / "card.md").read_text(encoding="utf-8")


def _label(item: Item) -> str:
    (label,) = item.references
    return label


def _shingles(text: str) -> frozenset[tuple[str, str]]:
    words = normalised_words(text)
    return frozenset(pairwise(words))


def _jaccard(one: frozenset[object], other: frozenset[object]) -> float:
    return len(one & other) / len(one | other)


def _near(one: Sequence[str], other: Sequence[str] | None = None) -> list[tuple[str, str]]:
    """Pairs of texts, of one list or across two, that are nearly the same."""
    shingled = [[(text, _shingles(text)) for text in texts] for texts in (one, other or ())]
    pairs = combinations(shingled[0], 2) if other is None else product(*shingled)
    return [(text, again) for (text, left), (again, right) in pairs if _jaccard(left, right) >= _NEAR_DUPLICATE]


def test_the_measure_of_near_duplicates_finds_one() -> None:
    message = "My landlord has kept the whole deposit and won't show me a list."
    assert _near([message], ["My landlord has kept the whole deposit and will not say why."])
    assert not _near([message], ["The bank has kept my card."])


def test_items_are_balanced_by_label_and_so_are_those_of_each_kind(golden_set: GoldenSet) -> None:
    counts = Counter((item.kind, _label(item)) for item in golden_set.items)
    each = {"typical": 16, "edge": 9, "adversarial": 5}
    assert counts == {(kind, label): count for kind, count in each.items() for label in _LABELS}


def test_records_are_balanced_by_label_and_so_are_the_hard_ones(records: tuple[TrainingRecord, ...]) -> None:
    assert Counter(record.completion for record in records) == dict.fromkeys(_LABELS, 80)
    lines = [value for _, value in scan_jsonl(_EXPERIMENT / "train.jsonl").objects]
    counts = Counter((str(line["tags"]), line["completion"]) for line in lines)
    each = {"typical": 64, "edge": 12, "adversarial": 4}
    assert counts == {(str([kind]), label): count for kind, count in each.items() for label in _LABELS}
    assert all(line.get("notes") for line in lines if line["tags"] != ["typical"])


def test_no_message_is_nearly_the_same_as_another(golden_set: GoldenSet, records: tuple[TrainingRecord, ...]) -> None:
    golden = [item.question for item in golden_set.items]
    train = [record.question for record in records]
    assert _near(golden) == []
    assert _near(train) == []
    assert _near(golden, train) == []
    assert find_overlaps(records, golden_set.items) == []


def test_every_reference_is_right_by_every_metric_and_every_completion_is_a_label(
    golden_set: GoldenSet, records: tuple[TrainingRecord, ...]
) -> None:
    scorers = scorers_for(golden_set)
    assert [scorer.metric.name for scorer in scorers] == ["golden/label_correct", "golden/format_valid"]
    assert scorers[0].metric.chance == pytest.approx(1 / 3)
    for item in golden_set.items:
        answer = Generation(item_id=item.item_id, item_hash=item.item_hash, text=_label(item))
        assert [score.value for score in score_generation(scorers, item, answer)] == [1.0, 1.0], item.item_id
    assert {record.completion for record in records} == set(_LABELS)


def test_every_item_says_why_and_where_it_is_hard_by_which_rule(golden_set: GoldenSet, card: str) -> None:
    stated = {int(number) for number in re.findall(r"^(\d)\. \*\*", card, re.MULTILINE)}
    assert stated == set(_RULES)
    for item in golden_set.items:
        assert item.notes, item.item_id
        named = "".join(re.findall(r"\(rules? ([^)]*)\)", item.notes))
        rules = {int(number) for number in re.findall(r"\d", named)}
        assert rules <= stated, item.item_id
        assert rules or item.kind == "typical", item.item_id


def test_the_items_of_a_group_are_one_situation_with_each_label_once(golden_set: GoldenSet) -> None:
    groups: dict[str, list[str]] = {}
    for item in golden_set.items:
        if item.group is not None:
            groups.setdefault(item.group, []).append(_label(item))
    assert len(groups) == 6
    assert all(sorted(labels) == sorted(_LABELS) for labels in groups.values())


def test_neither_length_nor_register_gives_the_label_away(golden_set: GoldenSet) -> None:
    words: Counter[str] = Counter()
    for item in golden_set.items:
        words[_label(item)] += len(normalised_words(item.question))
    assert max(words.values()) <= 1.1 * min(words.values())
    for register in ("email", "formal", "non_native", "rambling", "terse", "typos", "voicemail"):
        assert {_label(item) for item in golden_set.items if register in item.tags} == set(_LABELS), register


def test_the_card_counts_every_tag(golden_set: GoldenSet, card: str) -> None:
    table = card.partition("| tag | items | meaning |")[2].partition("\n\n")[0]
    stated = {tag: int(count) for tag, count in re.findall(r"^\| (\w+) \| (\d+) \|", table, re.MULTILINE)}
    assert stated == Counter(tag for item in golden_set.items for tag in item.tags)


def test_the_experiment_loads_and_its_shots_show_each_label_as_often(records: tuple[TrainingRecord, ...]) -> None:
    experiment = load_experiment(_EXPERIMENT)
    few_shot = experiment.systems["few_shot"]
    shots = draw_shots(records, few_shot.prompt.shots, seed=few_shot.seed)
    assert Counter(answer.content for _, answer in shots) == dict.fromkeys(_LABELS, 2)


def test_the_corpus_has_a_passage_for_every_rule_and_repeats_no_item(golden_set: GoldenSet) -> None:
    passages = load_corpus(_EXPERIMENT / "corpus.jsonl")
    titles = [passage.title or "" for passage in passages]
    assert [number for number in _RULES if not any(title.startswith(f"Rule {number}:") for title in titles)] == []
    assert _near([passage.text for passage in passages], [item.question for item in golden_set.items]) == []


def test_every_criterion_of_the_rubric_has_five_levels() -> None:
    rubric = read_yaml(_GOLDEN / "rubric.yaml").content
    assert rubric["name"] == "domain_routing"
    criteria = rubric["criteria"]
    assert isinstance(criteria, list)
    assert [sorted(criterion["levels"]) for criterion in criteria] == [[1, 2, 3, 4, 5]] * 3
