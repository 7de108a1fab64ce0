import pytest

from harness.errors import ConfigError
from harness.evaluation.scorers.registry import FAMILIES, scorer_names, scorers_for
from harness.records.items import GoldenSet, Item
from harness.records.messages import Message

_KNOWN = frozenset({"I10", "E11.9"})


def _set(*scorers: str, known_codes: frozenset[str] | None = _KNOWN, reference: str = "- I10 (x)") -> GoldenSet:
    item = Item(item_id="one", input=(Message(role="user", content="Q"),), references=(reference,))
    return GoldenSet(
        name="small",
        version="1.0.0",
        sha256="0",
        licence="CC0",
        items=(item,),
        scorers=scorers,
        known_codes=known_codes,
    )


def test_a_family_stands_for_its_scorers_and_none_comes_twice() -> None:
    names = [scorer.name for scorer in scorers_for(_set("codes_f1", "icd10_codes", "exact_match", "exact_match"))]
    rest = [name for name in FAMILIES["icd10_codes"] if name != "codes_f1"]
    assert names == ["codes_f1", *rest, "exact_match"]


def test_every_name_but_those_of_families_is_the_name_of_its_scorer() -> None:
    need_other_references = {*FAMILIES, *FAMILIES["numeric"], "must_contain", "label_correct"} - {"format_valid"}
    for name in set(scorer_names()) - need_other_references:
        assert [scorer.name for scorer in scorers_for(_set(name))] == [name]


@pytest.mark.parametrize(
    ("golden_set", "expected"),
    [
        (_set("exact_mach"), '"exact_mach" is not a scorer; did you mean "exact_match"?'),
        (_set("codes_f1", known_codes=None), "manifest.yaml names none. Put a file with one code a line beside it"),
        (_set("codes_f1", known_codes=frozenset({"I10", "E119"})), "1 of 2 entries of the code list do not look like"),
        (_set("codes_f1", reference="high blood pressure"), "item \"one\": the reference 'high blood pressure' gives"),
        (_set("codes_f1", reference="- I11.9 (x)"), 'item "one": the code list does not have I11.9 of the reference'),
        (_set("must_contain"), 'item "one" has neither `must_contain` nor `must_not_contain`'),
        (_set("token_f1", reference="?!"), "item \"one\": the reference '?!' has no word that an answer could share"),
        (_set("contains_reference", reference="..."), "has no word that an answer could share"),
        (_set("value_correct", reference="12 %"), "item \"one\": the reference '12 %' is not in the demanded format"),
    ],
)
def test_a_set_that_cannot_be_scored_fairly_is_refused(golden_set: GoldenSet, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        scorers_for(golden_set)
    assert "golden set small 1.0.0" in str(caught.value)
    assert expected in str(caught.value)


def test_scorers_of_text_need_no_code_list() -> None:
    assert len(scorers_for(_set("exact_match", "format_valid", known_codes=None))) == 2
