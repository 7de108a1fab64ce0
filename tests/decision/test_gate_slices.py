import random
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from harness.config.policy import Gate, Slices
from harness.decision.gate import Case, judge_gate
from harness.decision.gate_limit import limits_of
from harness.decision.gate_reading import Sides
from harness.decision.gate_slices import SliceCase, judge_slices, slice_members
from harness.records.evidence import Evidence
from harness.records.scores import Metric, Score
from harness.records.verdicts import Finding, GateResult
from harness.stats.slices import Slice, no_slice_loses, slice_differences

EvidenceOf = Callable[..., Evidence]
MMLU = "regression/mmlu/acc"
EXACT = "golden/exact_match"


def by_subject(right: Mapping[str, tuple[int, int]]) -> list[Score]:
    """For each subject: how many of how many items are right."""
    return [
        score
        for subject, (count, n) in right.items()
        for score in marked(subject, [float(number < count) for number in range(n)])
    ]


def judge(gate: Mapping[str, object], lora: Evidence, *others: Evidence) -> GateResult:
    case = Case(candidate=lora, baselines={one.name: one for one in others}, confidence=0.95, on_missing="inconclusive")
    return judge_gate(Gate.model_validate(gate), "slices", case)


KEPT = {"metric": MMLU, "test": "noninferiority", "against": ["base"], "margin": 0.1}
SLICED = {**KEPT, "slices": "subject"}


def test_a_good_mean_cannot_hide_a_bad_slice(evidence_of: EvidenceOf) -> None:
    base = evidence_of("base", {MMLU: by_subject({"anatomy": (60, 100), "law": (60, 100), "virology": (60, 100)})})
    lora = evidence_of("lora", {MMLU: by_subject({"anatomy": (75, 100), "law": (75, 100), "virology": (20, 100)})})
    whole = judge(KEPT, lora, base)
    assert whole.outcome == "pass"  # the mean loses 3.3 points
    sliced = judge(SLICED, lora, base)
    assert sliced.outcome == "fail"
    summary, worst = sliced.findings[:2]
    assert worst.subject == "lora - base on subject virology"
    assert worst.outcome == "fail"
    assert "lora is 40.0 points worse than base" in worst.words
    assert "for 3 slices together" in worst.test
    assert summary.words.startswith("3 slices by subject: 1 fail, 2 pass. Worst: virology -0.400 (n 100)")
    assert "Changed (Benjamini-Hochberg, rate 0.05): virology, anatomy, law." in summary.words
    assert summary.value == worst.value


def test_slices_pass_only_where_each_passes_by_its_own_interval(evidence_of: EvidenceOf) -> None:
    same = by_subject({"anatomy": (60, 100), "law": (60, 100)})
    result = judge(SLICED, evidence_of("lora", {MMLU: same}), evidence_of("base", {MMLU: same}))
    assert [one.outcome for one in result.findings] == ["pass", "pass", "pass"]
    assert "Changed (Benjamini-Hochberg, rate 0.05): none." in result.findings[0].words


def test_slices_too_small_for_the_margin_are_inconclusive_and_say_what_they_need(evidence_of: EvidenceOf) -> None:
    same = by_subject({"anatomy": (60, 100), "law": (3, 5)})
    result = judge(SLICED, evidence_of("lora", {MMLU: same}), evidence_of("base", {MMLU: same}))
    assert result.outcome == "inconclusive"
    assert result.findings[0].words.startswith("2 slices by subject: 1 inconclusive, 1 pass.")
    # z^2 / (n + z^2) < 0.1 from n = 35 on: 30 more than 5.
    assert result.findings[0].remedy == "Items that would resolve it: law about 30 more."


def test_small_slices_may_be_set_apart_by_the_policy_and_are_named(evidence_of: EvidenceOf) -> None:
    same = by_subject({"anatomy": (60, 100), "law": (3, 5)})
    gate = {**SLICED, "slices": {"by": "subject", "min_items": 20}}
    result = judge(gate, evidence_of("lora", {MMLU: same}), evidence_of("base", {MMLU: same}))
    assert result.outcome == "pass"
    assert "Not judged, under 20 items: law." in result.findings[0].words
    alone = by_subject({"law": (3, 5)})
    none_left = judge(gate, evidence_of("lora", {MMLU: alone}), evidence_of("base", {MMLU: alone}))
    assert none_left.outcome == "inconclusive"
    assert "min_items" in (none_left.findings[0].remedy or "")


def test_a_slice_beyond_the_margin_only_by_itself_is_inconclusive_among_many(evidence_of: EvidenceOf) -> None:
    # 12 lost of 40: Tango's upper bound is under -0.1 at 95 %, but not at the 99.9 % that 50 slices together need.
    def findings(slices: int) -> dict[str, Finding]:
        names = ["law", *(f"s{number:02}" for number in range(slices - 1))]
        ours = by_subject({name: (28 if name == "law" else 40, 40) for name in names})
        theirs = by_subject(dict.fromkeys(names, (40, 40)))
        sides = Sides(
            metric=Metric(name=MMLU, kind="binary"), candidate="lora", ours=ours, baseline="base", theirs=theirs
        )
        gate = Gate.model_validate(SLICED)
        case = SliceCase(slices=Slices(by="subject"), limit=limits_of(gate)[0], confidence=0.95, method=None)
        return {one.subject: one for one in judge_slices(case, sides, evidence_of("lora", {}))}

    assert findings(1)["lora - base on subject law"].outcome == "fail"
    among_many = findings(50)["lora - base on subject law"]
    assert among_many.outcome == "inconclusive"
    assert "among 50 slices that can be luck" in among_many.words


@pytest.mark.parametrize("seed", range(12))
def test_slices_come_out_as_the_statistics_of_slices_say(seed: int, evidence_of: EvidenceOf) -> None:
    draw = random.Random(seed)
    sizes = {f"s{number}": draw.choice([40, 200, 400]) for number in range(6)}
    lost = draw.choice([0.0, 0.1, 0.4])

    def answered(share: float) -> dict[str, list[float]]:
        return {name: [float(draw.random() < share) for _ in range(n)] for name, n in sizes.items()}

    theirs = answered(0.7)
    ours = {name: [value if draw.random() > lost else 0.0 for value in values] for name, values in theirs.items()}
    lora, base = (
        evidence_of(name, {MMLU: [score for subject in values for score in marked(subject, values[subject])]})
        for name, values in (("lora", ours), ("base", theirs))
    )
    differences = [
        Slice(name=name, differences=[our - their for our, their in zip(ours[name], theirs[name], strict=True)])
        for name in sizes
    ]
    expected = no_slice_loses(slice_differences(differences, minimum=-1, maximum=1), margin=0.1)
    assert judge(SLICED, lora, base).outcome == expected


def marked(subject: str, values: list[float]) -> list[Score]:
    """A score of each item of a subject."""
    return [
        Score(
            task="regression/mmlu",
            scorer="acc",
            item_id=f"{subject}/{number}",
            item_hash=f"{subject}/{number}",
            value=value,
            stratum=subject,
        )
        for number, value in enumerate(values)
    ]


def test_a_subject_on_which_the_base_guesses_cannot_show_a_loss_and_keeps_the_gate_open(
    evidence_of: EvidenceOf,
) -> None:
    chance = Metric(name=MMLU, kind="binary", chance=0.25)
    same = by_subject({"anatomy": (60, 100), "abstract_algebra": (25, 100)})
    result = judge(
        SLICED,
        evidence_of("lora", {MMLU: same}, metrics=[chance]),
        evidence_of("base", {MMLU: same}, metrics=[chance]),
    )
    assert result.outcome == "inconclusive"
    assert "A base model that is above chance there" in (result.findings[0].remedy or "")
    assert "Not judged, base is at chance there: abstract_algebra." in result.findings[0].words


def test_a_loss_that_is_shown_fails_even_where_the_base_guesses(evidence_of: EvidenceOf) -> None:
    chance = Metric(name=MMLU, kind="binary", chance=0.25)
    base = evidence_of("base", {MMLU: by_subject({"anatomy": (60, 100), "law": (30, 100)})}, metrics=[chance])
    lora = evidence_of("lora", {MMLU: by_subject({"anatomy": (60, 100), "law": (0, 100)})}, metrics=[chance])
    result = judge(SLICED, lora, base)
    assert result.findings[1].subject == "lora - base on subject law"
    assert [one.outcome for one in result.findings] == ["fail", "fail", "pass"]


def test_fewer_items_in_all_than_the_policy_asks_for_decide_nothing_by_slices_either(evidence_of: EvidenceOf) -> None:
    same = by_subject({"anatomy": (60, 100), "law": (60, 100)})
    result = judge({**SLICED, "min_items": 500}, evidence_of("lora", {MMLU: same}), evidence_of("base", {MMLU: same}))
    assert result.outcome == "inconclusive"
    assert "asks for 500 items, and there are 200" in result.findings[0].words


def test_tags_may_overlap_and_items_without_one_are_counted(evidence_of: EvidenceOf) -> None:
    labels = {"i0000": {"tag": ("edge", "blood")}, "i0001": {"tag": ("edge",)}, "i0002": {"tag": ()}}
    lora = evidence_of("lora", {EXACT: [1.0, 1.0, 0.0]}, labels=labels)
    sides = Sides(metric=Metric(name=EXACT, kind="binary"), candidate="lora", ours=lora.scores[EXACT])
    assert slice_members("tag", lora, sides) == {"blood": {"i0000"}, "edge": {"i0000", "i0001"}}
    result = judge({"metric": EXACT, "at_least": 0.01, "slices": "tag"}, lora)
    assert [one.subject for one in result.findings] == ["lora by tag", "lora on tag blood", "lora on tag edge"]
    assert "1 item has no tag, and so no slice" in result.findings[0].words


def test_nothing_to_slice_by_decides_nothing(evidence_of: EvidenceOf) -> None:
    [finding] = judge(
        {"metric": EXACT, "at_least": 0.01, "slices": "difficulty"}, evidence_of("lora", {EXACT: [1.0] * 9})
    ).findings
    assert finding.outcome == "inconclusive"
    assert "no difficulty can be judged" in finding.words
    assert finding.remedy == "Give items a difficulty, or slice by something that they have."


@pytest.mark.parametrize("key", ["group", "subject"])
def test_groups_and_subjects_come_from_the_scores(evidence_of: EvidenceOf, key: str) -> None:
    score = Score(
        task="golden", scorer="exact_match", item_id="i", item_hash="h", value=1.0, group="patient-1", stratum="law"
    )
    lora = evidence_of("lora", {EXACT: [score]})
    sides = Sides(metric=Metric(name=EXACT, kind="binary"), candidate="lora", ours=[score])
    assert slice_members(key, lora, sides) == {"patient-1" if key == "group" else "law": {"i"}}


def test_a_slice_that_cannot_be_read_keeps_the_gate_open(evidence_of: EvidenceOf) -> None:
    kept = marked("kept", [1.0] * 200)
    lost = [
        replace(score, group="pair" if number < 2 else None) for number, score in enumerate(marked("lost", [0.0] * 200))
    ]
    base = evidence_of("base", {MMLU: [*kept, *(replace(score, value=1.0) for score in lost)]})
    lora = evidence_of("lora", {MMLU: [*kept, *lost]})
    result = judge({**SLICED, "method": "tango"}, lora, base)
    assert result.outcome == "inconclusive"
    assert "subject lost cannot be judged: method tango cannot be used" in result.findings[0].words
    assert judge(SLICED, lora, base).outcome == "fail"
