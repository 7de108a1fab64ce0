"""The steps of an augmentation: what makes training records, and what is held against what they make."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import pydantic

from harness.config.validate import Strict
from harness.errors import as_sentence, nearest

Kept = Literal["numbers", "codes", "names", "answer_words", "negations"]
"""What a rewritten input has to keep; `harness.data.augment_facts` says what each one is."""

Damage = Literal["drop_first_line", "join_lines", "cut_off", "repeat", "change_digit", "wrap"]
"""What is done to a right answer to make a wrong one; `harness.data.augment_damage` does it."""

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
"""A variable in a template: a name in braces. Any other brace is text."""


def _one_is_a_list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; text is needed")
    return text


def _holds_input(text: str) -> str:
    return _holds(text, "input")


def _holds(text: str, *names: str) -> str:
    """A text with exactly the placeholders `names`, each at least once."""
    found = set(PLACEHOLDER.findall(text))
    wrong = [*(f"{{{name}}} is missing" for name in names if name not in found)]
    wrong += [f"{{{name}}} is not filled in here; {nearest(name, names)}" for name in sorted(found - set(names))]
    if wrong:
        raise ValueError("; ".join(wrong))
    return text


Text = Annotated[str, pydantic.AfterValidator(_filled)]
Value = Annotated[str, pydantic.BeforeValidator(_as_text)]
Request = Annotated[str, pydantic.AfterValidator(_holds_input)]
Count = Annotated[int, pydantic.Field(ge=1)]


class Variables(Strict):
    """What a template's placeholders stand for.

    `variables` are lists of values, of which every combination is made; `table` is a CSV or JSONL file beside the plan,
    whose columns vary together, a row at a time. `sample` draws so many of all combinations (None: all of them).
    """

    variables: dict[str, Annotated[tuple[Value, ...], pydantic.Field(min_length=1)]] = pydantic.Field(
        default_factory=dict[str, tuple[str, ...]]
    )
    table: str | None = None
    sample: Count | None = None

    @pydantic.field_validator("variables")
    @classmethod
    def _each_value_once(cls, variables: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name, values in variables.items():
            if not PLACEHOLDER.fullmatch(f"{{{name}}}"):
                raise ValueError(f'"{name}" is not a name; use letters, digits and _, and begin with a letter')
            if twice := sorted({value for value in values if values.count(value) > 1}):
                raise ValueError(f'"{name}" has "{twice[0]}" twice; keep one of them')
        return variables

    def placeholder_problems(self, texts: Mapping[str, str | None], columns: tuple[str, ...] = ()) -> list[str]:
        """Placeholders that nothing fills, and variables that no text uses.

        Args:
            texts: The template's texts by their key.
            columns: Of the table; one that no text uses is no problem.
        """
        known = {*self.variables, *columns}
        used = {key: PLACEHOLDER.findall(text) for key, text in texts.items() if text is not None}
        problems = [
            f"{key}: {{{name}}} is neither a variable nor a column of the table; {as_sentence(nearest(name, known))}"
            for key, names in used.items()
            for name in dict.fromkeys(names)
            if name not in known
        ]
        everywhere = {name for names in used.values() for name in names}
        problems += [
            f'variables: "{name}" stands in no text of the template; use it as {{{name}}}, or remove it.'
            for name in self.variables
            if name not in everywhere
        ]
        problems += [
            f'variables: "{name}" is a column of the table too; rename one of them.'
            for name in self.variables
            if name in columns
        ]
        return problems

    def _checked(self, texts: Mapping[str, str | None]) -> None:
        if self.table is None and (problems := self.placeholder_problems(texts)):
            raise ValueError(" ".join(problems))


class TemplateStep(Variables):
    """Records written by a template: question, answer, and for preferences a rejected answer."""

    prompt: Text
    completion: Text
    rejected: Text | None = None

    @pydantic.model_validator(mode="after")
    def _placeholders_are_filled(self) -> "TemplateStep":
        self._checked(self.texts)
        return self

    @property
    def texts(self) -> dict[str, str | None]:
        """The texts that placeholders may stand in."""
        return {"prompt": self.prompt, "completion": self.completion, "rejected": self.rejected}


class FromRecords(Strict):
    """Which records of the training set a step reads: `sample` of those that have one of the `tags`; None is all."""

    sample: Count | None = None
    tags: tuple[str, ...] = ()


class Checks(Strict):
    """What a rewritten input has to pass.

    `length_ratio` are the fewest and most words it may have for one of its parent's. `least_changed` is the share, in
    [0, 1), of the distinct words of both texts that only one of them has. `least_shared` is the share, in [0, 1], of
    the parent's words of four letters or more that stand in it. `keep` says which facts of the parent must stand in it,
    and must not be added; `keep_terms` are words and phrases that must stay where they are.
    """

    length_ratio: tuple[float, float] = (0.5, 2.0)
    least_changed: float = pydantic.Field(default=0.2, ge=0, lt=1)
    least_shared: float = pydantic.Field(default=0.15, ge=0, le=1)
    keep: tuple[Kept, ...] = ("numbers", "codes", "names", "answer_words", "negations")
    keep_terms: tuple[Text, ...] = ()

    @pydantic.field_validator("length_ratio")
    @classmethod
    def _low_to_high(cls, ratio: tuple[float, float]) -> tuple[float, float]:
        if not 0 < ratio[0] < ratio[1]:
            raise ValueError(f"{list(ratio)} is no range; write the fewest and the most, such as [0.5, 2.0]")
        return ratio


class Asked(FromRecords):
    """What steps have in common that ask a model to rewrite an input.

    `system` is a system of the experiment (None: the one of `--system`), asked without its own prompt, shots and
    passages; `system_prompt` is said instead.
    """

    system: str | None = None
    system_prompt: Text | None = None
    max_new_tokens: Count = 128
    checks: Checks = Checks()


class ParaphraseStep(Asked):
    """Inputs in other words: one new record for each request. `{input}` is the parent's input."""

    requests: Annotated[tuple[Request, ...], pydantic.BeforeValidator(_one_is_a_list), pydantic.Field(min_length=1)] = (
        "Rewrite the following text in other words. Keep every fact and number. Write only the new text.\n\n{input}",
    )


class BackTranslationStep(Asked):
    """Inputs translated `through` a language and back into `language`, their own; `{language}` is the one asked for."""

    through: Text
    language: Text = "English"
    request: str = "Translate the following text into {language}. Write only the translation.\n\n{input}"

    @pydantic.field_validator("request")
    @classmethod
    def _both_are_said(cls, request: str) -> str:
        return _holds(request, "input", "language")


class NegativeStep(FromRecords):
    """Answers not to give, for preference training: the record's own answer is `chosen`, a wrong one `rejected`.

    `by` says where the wrong one is from: a `model` (a system of the experiment with its own prompt) that answers
    wrongly, `other_record` (the answer of another record), or `damage` (the right answer damaged by each of `rules`;
    `wrap` is the text around it for the rule of that name). A model's answer is wrong if it `differs` from the right
    one: by any character, or after normalising case, punctuation and white space. It may have `max_new_tokens` (None:
    the system's own); what does not end by then is dropped.
    """

    by: Literal["model", "other_record", "damage"]
    system: str | None = None
    differs: Literal["exact", "normalised"] = "normalised"
    max_new_tokens: Count | None = None
    rules: tuple[Damage, ...] = ()
    wrap: str | None = None

    @pydantic.model_validator(mode="after")
    def _only_what_is_used(self) -> "NegativeStep":
        of_model, of_damage = {"system", "differs", "max_new_tokens"}, {"rules", "wrap"}
        used = {"model": of_model, "other_record": set[str](), "damage": of_damage}[self.by]
        if extra := sorted(self.model_fields_set & (of_model | of_damage) - used):
            raise ValueError(f"{', '.join(extra)}: not used by `by: {self.by}`; remove it")
        if self.by == "damage" and not self.rules:
            raise ValueError("`by: damage` needs rules, such as `rules: [drop_first_line]`")
        if ("wrap" in self.rules) != (self.wrap is not None):
            raise ValueError('the rule `wrap` and the text `wrap: "... {answer} ..."` need each other')
        if self.wrap is not None:
            _holds(self.wrap, "answer")
        return self


class Cut(Strict):
    """How the deciding part of an input is taken out: each sentence or line (`unit`) that is chosen by `where`.

    `answer`: it shares a number or a word of four letters or more with the record's answer; `first`; `last`; `terms`:
    it holds one of the `terms`; `pattern`: the regular expression `pattern` is found in it.
    """

    where: Literal["answer", "first", "last", "terms", "pattern"]
    unit: Literal["sentence", "line"] = "sentence"
    terms: tuple[Text, ...] = ()
    pattern: str | None = None
    fewest_words_left: Count = 3

    @pydantic.model_validator(mode="after")
    def _only_what_is_used(self) -> "Cut":
        if (self.where == "terms") != bool(self.terms) or (self.where == "pattern") != (self.pattern is not None):
            raise ValueError(
                "`terms` belongs to `where: terms`, and `pattern` to `where: pattern`; say both or neither"
            )
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as problem:
                raise ValueError(f"pattern: not a regular expression: {problem}") from None
        return self


class RefusalStep(Variables):
    """Cases that are answered with `answer`, such as "insufficient information".

    The inputs are written by the template `prompt`, or made from records of the set by taking the deciding part out
    (`cut`). `tags` are of the records that are cut. For preferences, `rejected` is what is answered instead; of a
    record that is cut it is the record's own answer.
    """

    answer: Text
    prompt: Text | None = None
    rejected: Text | None = None
    cut: Cut | None = None
    tags: tuple[str, ...] = ()

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> "RefusalStep":
        if (self.prompt is None) == (self.cut is None):
            raise ValueError("a refusal is written by `prompt` or made by `cut`: say one of them")
        if self.cut is not None and (self.variables or self.table or self.rejected):
            raise ValueError("variables, table and rejected belong to `prompt`; remove them, or write no `cut`")
        if self.prompt is not None and self.tags:
            raise ValueError("tags choose records to `cut`; remove them")
        self._checked(self.texts)
        return self

    @property
    def texts(self) -> dict[str, str | None]:
        """The texts that placeholders may stand in; none where inputs are cut."""
        texts = {"prompt": self.prompt, "answer": self.answer, "rejected": self.rejected}
        return {} if self.prompt is None else texts
