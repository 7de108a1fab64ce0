"""Behaviour of a whole augmentation, with a fake model that answers by a rule."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from harness.config.augment import Plan
from harness.data.augment import Augmented, Work, augment
from harness.data.augment_filter import Against
from harness.data.augment_journal import AskedModel, Journal
from harness.data.augment_source import read_source
from harness.data.golden import load_golden_set
from harness.data.overlap import find_overlaps
from harness.data.training import load_training_set
from harness.errors import ConfigError, DataError
from harness.records.generations import Generation
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message

NOTES = {
    "Sore throat for 3 days in a teacher; no fever, asthma in childhood.": "pharyngitis",
    "A cook of 43 with wheeze at night uses the blue inhaler twice a week.": "asthma",
    "Back pain after lifting boxes in the Leeds warehouse, 2 weeks of rest advised.": "low back pain",
    "Why does my nose bleed each time the heating runs in winter?": "epistaxis",
}
Rule = Callable[[str], str | None]


class FakeModel:
    """Answers the text that stands after the last empty line of a question, by a rule; counts what it is asked."""

    def __init__(self, rule: Rule, *, batch: int = 2, breaks_after: int | None = None) -> None:
        self.rule, self.batch, self.breaks_after = rule, batch, breaks_after
        self.asked: list[str] = []

    def __call__(
        self, questions: Mapping[str, Sequence[Message]], answered: Collection[str] = ()
    ) -> Iterator[Sequence[Generation]]:
        left = [name for name in questions if name not in answered]
        for start in range(0, len(left), self.batch):
            yield [self._answer(name, questions[name][-1].content) for name in left[start : start + self.batch]]

    def _answer(self, name: str, question: str) -> Generation:
        if self.breaks_after is not None and len(self.asked) >= self.breaks_after:
            raise KeyboardInterrupt
        self.asked.append(question)
        text = self.rule(question.rpartition("\n\n")[2])
        error = "it was too long" if text is None else None
        return Generation(item_id=name, item_hash="", text=text, error=error, finish_reason="stop")

    def as_asked(self, identity: str = "fake") -> AskedModel:
        return AskedModel(system="fake", identity=identity, described={"system": "fake", "model": "rule"}, ask=self)


def _no_bar(label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda units: None)


Run = Callable[..., Augmented]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Augments the notes (or `records`) by the steps of a plan, as YAML would give them."""

    def run(
        *steps: Mapping[str, object],
        records: Sequence[Mapping[str, object]] | None = None,
        model: FakeModel | None = None,
        golden: GoldenSet | None = None,
        seed: int = 17,
    ) -> Augmented:
        plan = Plan.model_validate({"name": "test", "steps": steps})
        written = records or [{"prompt": asked, "completion": answer} for asked, answer in NOTES.items()]
        path = tmp_path / "train.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in written))
        source = read_source(path)
        against = Against(
            source=source,
            golden_sets=[golden] if golden else [],
            similarity=plan.near_duplicate_similarity,
            makes_negatives=plan.makes_negatives,
        )
        model = model or FakeModel(str)
        return augment(
            Work(
                plan=plan,
                seed=seed,
                beside=tmp_path,
                against=against,
                model_for=lambda step: model.as_asked(),
                journal=Journal(tmp_path / "journal"),
                phase=_no_bar,
            )
        )

    return run


def values(made: Augmented) -> list[Mapping[str, object]]:
    return [one.value for one in made.kept]


def reasons(made: Augmented) -> list[str]:
    return [one.reason for one in made.dropped]


def golden_of(*questions: str) -> GoldenSet:
    items = tuple(
        Item(item_id=f"item-{n}", input=(Message(role="user", content=asked),), references=("x",))
        for n, asked in enumerate(questions)
    )
    return GoldenSet(name="g", version="1.0.0", sha256="0", licence="none", items=items, scorers=("exact_match",))


def good_paraphrase(text: str) -> str:
    """Keeps every fact, and turns the words around."""
    known = {
        "Sore throat": "For 3 days this teacher has had a sore throat, asthma as a child but no fever.",
        "A cook": "The blue inhaler is needed 2 times weekly by a cook of 43 who hears a wheeze at night.",
        "Back pain": "In Leeds somebody lifted boxes in a warehouse; back pain since then, so 2 weeks to rest.",
        "Why does": "What makes blood run from my nose in winter whenever we heat?",
    }
    return next(answer for start, answer in known.items() if text.startswith(start))


PARAPHRASE = {"name": "reworded", "paraphrase": {"requests": "Say it in other words.\n\n{input}"}}


def test_a_template_gives_every_combination_in_order_and_marks_it(run: Run) -> None:
    step = {"prompt": "A {age} has {what}.", "completion": "{what}", "variables": {"age": [5, 60], "what": ["x", "y"]}}
    made = run({"name": "new", "template": step})
    assert [(value["prompt"], value["completion"]) for value in values(made)] == [
        ("A 5 has x.", "x"),
        ("A 5 has y.", "y"),
        ("A 60 has x.", "x"),
        ("A 60 has y.", "y"),
    ]
    assert values(made)[0] | {"prompt": 0, "completion": 0} == {
        "prompt": 0,
        "completion": 0,
        "origin": "template",
        "parents": [],
        "augmentation": {
            "plan": "test",
            "step": "new",
            "seed": 17,
            "template": {"prompt": "A {age} has {what}.", "answer": "{what}"},
            "values": {"age": "5", "what": "x"},
        },
    }


def test_a_paraphrase_keeps_the_answer_and_names_its_parent_and_its_model(run: Run, tmp_path: Path) -> None:
    made = run(PARAPHRASE, model=FakeModel(good_paraphrase))
    source = load_training_set(tmp_path / "train.jsonl")
    kept = {str(value["completion"]): value for value in values(made)}
    # "2 times weekly" adds a number to "twice a week": the fact was not a number before.
    assert set(kept) == {"pharyngitis", "low back pain", "epistaxis"}
    assert [(one.reason, one.detail) for one in made.dropped] == [("facts", "numbers added: 2")]
    value = kept["pharyngitis"]
    assert value["prompt"] == good_paraphrase("Sore throat")
    assert (value["origin"], value["parents"]) == ("paraphrase", [source.records[0].record_hash])
    assert value["augmentation"] == {
        "plan": "test",
        "step": "reworded",
        "seed": 17,
        "system": "fake",
        "model": "rule",
        "request": "Say it in other words.\n\n{input}",
    }
    assert [(one.made, one.kept, dict(one.dropped)) for one in made.counts] == [(4, 3, {"facts": 1})]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty"),
        ("...", "empty"),
        (None, "failed"),
        ("SORE THROAT for 3 days in a teacher, no fever; asthma in childhood", "same_as_parent"),
        ("Sore throat for 3 days in a teacher; no fever, and asthma in childhood.", "hardly_changed"),
        ("Sure, for 3 days a teacher has had a sore throat, asthma as a child but no fever.", "talks_about_task"),
        ("Here is the rewritten note: 3 days of sore throat, no fever, asthma once.", "talks_about_task"),
        ("This note is rewritten, 3 days of sore throat, no fever, asthma once.", "talks_about_task"),
        ("Say it in other words: a teacher, sore throat for 3 days, no fever, asthma once", "echoes_request"),
        ("A teacher with pharyngitis, sore throat for 3 days, no fever, asthma once.", "answers"),
        ("Does the teacher have a sore throat for 3 days, no fever, asthma once?", "asks_differently"),
        ("Three days of sore throat, a teacher, no fever, asthma once as a child.", "facts"),
        ("For 3 days this teacher has had a sore throat, asthma as a child with fever.", "facts"),
        ("No 3 throat.", "length"),
        ("A 3 is an odd number, not even, and this says nothing more of it.", "off_topic"),
        ("Der Lehrer hat seit 3 Tagen Halsweh und no fever, das Asthma ist nicht mehr da.", "language"),
    ],
)
def test_what_a_model_writes_is_dropped_with_the_reason(run: Run, answer: str | None, reason: str) -> None:
    only = [{"prompt": next(iter(NOTES)), "completion": "pharyngitis"}]
    made = run(PARAPHRASE, records=only, model=FakeModel(lambda text: answer))
    assert (reasons(made), made.kept) == ([reason], ())


def test_an_answer_in_the_form_of_the_sets_answers_is_no_question(run: Run) -> None:
    coded = [{"prompt": f"Note {n}: a cough.", "completion": f"Codes:\n- R0{n}.9 (Cough)"} for n in range(10)]
    step = {"name": "reworded", "paraphrase": {"checks": {"keep": [], "length_ratio": [0.1, 9]}}}
    made = run(step, records=coded, model=FakeModel(lambda text: "Result:\n- J45.1 (Something else)"))
    assert reasons(made) == ["answers"] * 10


def test_terms_that_are_named_must_stay(run: Run) -> None:
    step = {"name": "r", "paraphrase": {"checks": {"keep": [], "keep_terms": ["blue inhaler"], "least_changed": 0}}}
    only = [{"prompt": "The blue inhaler helps at night.", "completion": "asthma"}]
    made = run(step, records=only, model=FakeModel(lambda text: "A blue one, the inhaler, helps at night."))
    assert [(one.reason, one.detail) for one in made.dropped] == [("facts", "terms lost: blue inhaler")]


def test_quotation_marks_around_the_whole_text_are_taken_off(run: Run) -> None:
    made = run(PARAPHRASE, model=FakeModel(lambda text: f'"{good_paraphrase(text)}"'))
    assert values(made)[0]["prompt"] == good_paraphrase("Sore throat")


def test_a_back_translation_keeps_the_text_between(run: Run) -> None:
    def translate(text: str) -> str:
        there = {
            "Sore": "Mal de gorge depuis 3 jours pour une enseignante, pas de fièvre.",
            "Back": "This is what was said of the back, and it is English.",
        }
        if text.startswith("Mal"):
            return good_paraphrase("Sore throat")
        return next((answer for start, answer in there.items() if text.startswith(start)), "")

    model = FakeModel(translate)
    made = run({"name": "via", "back_translation": {"through": "French"}}, model=model)
    (value,) = values(made)
    how = value["augmentation"]
    assert isinstance(how, dict)
    assert (how["through"], how["between"]) == ("French", translate("Sore"))
    assert (value["origin"], value["prompt"]) == ("back_translation", good_paraphrase("Sore throat"))
    assert sorted(reasons(made)) == ["empty", "empty", "not_translated"]
    assert len([asked for asked in model.asked if "into French" in asked]) == 4


def test_what_was_not_translated_is_not_translated_back(run: Run) -> None:
    model = FakeModel(lambda text: "It is the same text, and it was not what you asked for.")
    made = run({"name": "via", "back_translation": {"through": "French", "sample": 1}}, model=model)
    assert (reasons(made), len(model.asked)) == (["not_translated"], 1)


def test_a_wrong_answer_of_a_model_is_rejected_and_a_right_one_dropped(run: Run) -> None:
    answers = {"Sore": "PHARYNGITIS.", "A cook": "bronchitis", "Back": "", "Why": "nosebleed"}
    model = FakeModel(lambda text: next(answer for start, answer in answers.items() if text.startswith(start)))
    made = run({"name": "wrong", "negative": {"by": "model"}}, model=model)
    assert [(value["chosen"], value["rejected"]) for value in values(made)] == [
        ("asthma", "bronchitis"),
        ("epistaxis", "nosebleed"),
    ]
    assert reasons(made) == ["right_answer", "empty"]
    exact = run({"name": "wrong", "negative": {"by": "model", "differs": "exact"}}, model=model)
    assert [value["rejected"] for value in values(exact)] == ["PHARYNGITIS.", "bronchitis", "nosebleed"]


def test_another_records_answer_is_never_one_that_is_right_for_the_question(run: Run) -> None:
    twice = [{"prompt": "One?", "completion": "a"}, {"prompt": "one", "completion": "b"}]
    made = run(
        {"name": "n", "negative": {"by": "other_record"}}, records=[*twice, {"prompt": "Two", "completion": "c"}]
    )
    assert [(value["chosen"], value["rejected"]) for value in values(made)[:2]] == [("a", "c"), ("b", "c")]
    assert all(len(value["parents"]) == 2 for value in values(made))  # type: ignore[arg-type]
    alone = run({"name": "n", "negative": {"by": "other_record"}}, records=twice)
    assert reasons(alone) == ["no_other_answer"] * 2


def test_damage_makes_one_preference_for_each_rule_that_changes_something(run: Run) -> None:
    step = {"by": "damage", "rules": ["drop_first_line", "wrap", "change_digit"], "wrap": "I think: {answer}!"}
    records = [{"prompt": "Q", "completion": "Codes:\n- I10"}, {"prompt": "R", "completion": "none"}]
    made = run({"name": "form", "negative": step}, records=records)
    rejected = [str(value["rejected"]) for value in values(made)]
    assert rejected[:2] == ["- I10", "I think: Codes:\n- I10!"]
    assert rejected[2] != "Codes:\n- I10"
    assert rejected[2].startswith("Codes:\n- I")
    assert rejected[3:] == ["I think: none!"]
    assert [one.detail for one in made.dropped] == ["drop_first_line", "change_digit"]


def test_a_refusal_is_the_input_without_its_deciding_part(run: Run) -> None:
    step = {"answer": "insufficient information", "cut": {"where": "answer"}}
    records = [
        {"prompt": "Seen on Monday. She has asthma. Sleeps well at home.", "completion": "asthma"},
        {"prompt": "Asthma.", "completion": "asthma"},
        {"prompt": "No word of it.", "completion": "gout"},
        {"prompt": "Nothing is said here.", "completion": "Insufficient information."},
    ]
    made = run({"name": "cut", "refusal": step}, records=records)
    (value,) = values(made)
    assert value["prompt"] == "Seen on Monday. Sleeps well at home."
    assert value["completion"] == "insufficient information"
    assert (value["origin"], len(value["parents"])) == ("refusal", 1)  # type: ignore[arg-type]
    assert reasons(made) == ["too_little_left", "nothing_to_cut", "already_refused"]


def test_a_cut_input_may_be_like_its_parent_and_its_group_and_like_nothing_else(run: Run) -> None:
    lines = "".join(f"Figure number {n} of this long statement is {n * 17}.\n" for n in range(30))
    records = [
        {"prompt": f"{lines}Total profit: 5,000\nWhat is the profit?", "completion": "5,000", "group": "g"},
        {"prompt": f"{lines}Total profit: 5,000\nName the largest figure.", "completion": "493", "group": "g"},
    ]
    step = {"name": "c", "refusal": {"answer": "not given", "cut": {"where": "answer", "unit": "line"}, "sample": 2}}
    made = run(step, records=records)
    assert len(made.kept) == 2
    assert "Total profit" not in str(values(made)[0]["prompt"])
    records[1]["group"] = "h"
    assert reasons(run(step, records=records)) == ["near_duplicate", "near_duplicate"]


def test_what_the_set_holds_already_or_nearly_is_dropped(run: Run) -> None:
    start = "A cook of 43 with wheeze at night uses the blue inhaler twice"
    prompts = [f"{start} a week!", f"{start} a day", "Something new altogether", "something NEW, altogether"]
    step = {"prompt": "{text}", "completion": "x", "variables": {"text": prompts}}
    made = run({"name": "t", "template": step})
    assert [value["prompt"] for value in values(made)] == ["Something new altogether"]
    assert [(one.reason, one.detail) for one in made.dropped] == [
        ("duplicate", "line 2"),
        ("near_duplicate", "line 2, similarity 0.86"),
        ("duplicate", "a record of step t"),
    ]


def test_what_a_golden_set_holds_or_nearly_is_dropped_even_from_one_template(run: Run) -> None:
    asked = "The visitor from Oslo has had a rash on both arms since the boat trip of last weekend"
    step = {
        "prompt": f"{asked} {{when}}",
        "completion": "x",
        "variables": {"when": [f"and day {n}" for n in range(30)]},
    }
    golden = golden_of(f"{asked}.")
    made = run({"name": "t", "template": step}, golden=golden)
    assert (set(reasons(made)), made.kept) == ({"golden_overlap"}, ())
    assert "item-0 of g" in made.dropped[0].detail


def test_what_is_kept_passes_the_guard_together_with_the_source(run: Run, tmp_path: Path) -> None:
    golden = load_golden_set(Path("golden_sets/icd10_coding"))
    prompts = [item.question for item in golden.items[:5]] + ["A wholly new note about a broken arm in plaster."]
    step = {"prompt": "Note: {text}", "completion": "x", "variables": {"text": prompts}}
    made = run({"name": "t", "template": step}, golden=golden)
    assert [value["prompt"] for value in values(made)] == [f"Note: {prompts[-1]}"]
    path = tmp_path / "out.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values(made)))
    assert find_overlaps(load_training_set(path).records, golden.items) == []


FORMATS = {
    "chat": {"messages": [{"role": "user", "content": "ASKED"}, {"role": "assistant", "content": "pharyngitis"}]},
    "instruction": {"instruction": "ASKED", "output": "pharyngitis"},
    "instruction with an input": {"instruction": "Code it.", "input": "ASKED", "output": "pharyngitis"},
    "prompt-completion": {"prompt": "ASKED", "completion": "pharyngitis"},
    "turns": {"prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "ASKED"}], "completion": "p"},
    "preference": {"prompt": "ASKED", "chosen": "pharyngitis", "rejected": "gout"},
    "labelled": {"text": "ASKED", "label": "pharyngitis"},
}


@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
def test_a_new_record_is_written_like_its_parent(run: Run, written: Mapping[str, object]) -> None:
    asked = next(iter(NOTES))
    record = json.loads(json.dumps(written).replace("ASKED", asked)) | {"group": "g", "tags": ["t"], "notes": "no"}
    made = run(PARAPHRASE, records=[record], model=FakeModel(good_paraphrase))
    (value,) = values(made)
    marks = {"origin", "parents", "augmentation"}
    expected = json.loads(json.dumps(written).replace("ASKED", good_paraphrase(asked))) | {"group": "g", "tags": ["t"]}
    assert {name: one for name, one in value.items() if name not in marks} == expected


@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
def test_a_refusal_takes_the_answers_place_in_every_format(run: Run, written: Mapping[str, object]) -> None:
    text = "Seen on Monday at home. She has pharyngitis now."
    record = json.loads(json.dumps(written).replace("ASKED", text))
    made = run({"name": "c", "refusal": {"answer": "unknown", "cut": {"where": "last"}}}, records=[record])
    (value,) = values(made)
    expected = json.dumps(written).replace("ASKED", "Seen on Monday at home.")
    if "rejected" in written:
        expected = expected.replace('"gout"', '"KEPT"')
    expected = expected.replace('"pharyngitis"', '"unknown"').replace('"p"', '"unknown"').replace("KEPT", "pharyngitis")
    assert {name: value[name] for name in written} == json.loads(expected)


def test_a_preference_that_is_there_already_is_not_made_again(run: Run) -> None:
    records = [
        {"prompt": "One", "chosen": "a", "rejected": "b"},
        {"prompt": "Two", "chosen": "b", "rejected": "c"},
    ]
    made = run({"name": "n", "negative": {"by": "other_record"}}, records=records)
    assert [(value["prompt"], value["chosen"], value["rejected"]) for value in values(made)] == [("Two", "b", "a")]
    assert reasons(made) == ["duplicate"]


def test_a_template_for_preferences_needs_a_rejected_answer_and_others_may_not_have_one(run: Run) -> None:
    preference = [{"prompt": "One", "chosen": "a", "rejected": "b"}]
    with pytest.raises(ConfigError, match=r"step t: .* needs `rejected`"):
        run({"name": "t", "template": {"prompt": "New", "completion": "x"}}, records=preference)
    with pytest.raises(ConfigError, match="this one is prompt_completion"):
        run({"name": "t", "template": {"prompt": "New", "completion": "x", "rejected": "y"}})
    made = run({"name": "t", "template": {"prompt": "New", "completion": "x", "rejected": "y"}}, records=preference)
    assert values(made)[0]["rejected"] == "y"


def test_a_record_that_training_would_refuse_is_an_error_with_its_step(run: Run) -> None:
    preference = [{"prompt": "One", "chosen": "a", "rejected": "b"}]
    step = {"prompt": "New {x}", "completion": "{x}", "rejected": "y", "variables": {"x": ["x", "y"]}}
    with pytest.raises(DataError, match=r"step t, new record 2: .*same text"):
        run({"name": "t", "template": step}, records=preference)


def test_the_same_seed_draws_the_same_records_and_another_seed_others(run: Run) -> None:
    step = {"prompt": "{a} and {b}", "completion": "{a}", "variables": {"a": list(range(40)), "b": list("pqrstuvw")}}
    draws = [
        [value["prompt"] for value in values(run({"name": "t", "template": step | {"sample": 9}}, seed=seed))]
        for seed in (1, 1, 2)
    ]
    assert draws[0] == draws[1] != draws[2]
    assert len(draws[0]) == 9
    damage = {"name": "d", "negative": {"by": "damage", "rules": ["repeat"], "sample": 2}}
    chosen = [[value["prompt"] for value in values(run(damage, seed=seed))] for seed in range(12)]
    assert {len(one) for one in chosen} == {2}
    assert len({tuple(map(str, one)) for one in chosen}) > 2


def test_only_records_with_a_tag_are_read_where_tags_are_said(run: Run) -> None:
    records = [{"prompt": f"Question {n}?", "completion": str(n), "tags": ["easy"] if n % 2 else []} for n in range(4)]
    made = run({"name": "d", "negative": {"by": "damage", "rules": ["repeat"], "tags": ["easy"]}}, records=records)
    assert [value["chosen"] for value in values(made)] == ["1", "3"]
    with pytest.raises(ConfigError, match=r'step d: tags: no record has "esy"; did you mean "easy"\?'):
        run({"name": "d", "negative": {"by": "damage", "rules": ["repeat"], "tags": ["esy"]}}, records=records)


def test_a_step_is_stopped_and_goes_on_without_asking_twice(run: Run) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(PARAPHRASE, model=FakeModel(good_paraphrase, breaks_after=2))
    again = FakeModel(good_paraphrase)
    made = run(PARAPHRASE, model=again)
    assert (len(again.asked), len(made.kept)) == (2, 3)
    never = FakeModel(good_paraphrase, breaks_after=0)
    assert run(PARAPHRASE, model=never).kept == made.kept
