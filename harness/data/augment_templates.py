"""Records written by templates: every combination of the variables' values, or a seeded sample of them."""

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.config.augment_steps import PLACEHOLDER, RefusalStep, TemplateStep, Variables
from harness.data.augment_made import Made, Maker
from harness.data.augment_source import new_value
from harness.data.cells import cell_text, not_text
from harness.data.tables import read_table
from harness.errors import ConfigError, DataError, problems_message
from harness.records.training import TrainingFormat

MOST_WITHOUT_A_SAMPLE = 100_000

_Values = Mapping[str, str]


def templated(step: TemplateStep | RefusalStep, maker: Maker, written: TrainingFormat, *, beside: Path) -> list[Made]:
    """The records of a template, in the order of the combinations: the last variable varies fastest.

    Args:
        step: The template; of a refusal, its answer is the completion.
        maker: Marks them.
        written: The format that they are written in.
        beside: The plan's folder, which the table's path is relative to.

    Raises:
        ConfigError: Placeholders that nothing fills, a format that does not fit, or too many combinations.
        DataError: The table cannot be read.
    """
    name = maker.step.name
    if problem := _format_problem(step, written):
        raise ConfigError(f"step {name}: {problem}")
    rows = _rows(step, name, beside)
    answer = step.completion if isinstance(step, TemplateStep) else step.answer
    made: list[Made] = []
    for values in _combinations(step, rows, name, seed=f"{maker.seed} {name}"):
        texts = {key: filled(text, values) for key, text in step.texts.items() if text is not None}
        value = new_value(
            written,
            prompt=texts["prompt"],
            answer=texts["completion" if isinstance(step, TemplateStep) else "answer"],
            rejected=texts.get("rejected"),
        )
        template = {"prompt": step.prompt, "answer": answer}
        made.append(maker.keep(value, said={"template": template, "values": dict(values)}))
    return made


def filled(template: str, values: _Values) -> str:
    """A template with each `{name}` that has a value replaced by it, in one pass."""
    return PLACEHOLDER.sub(lambda field: values.get(field[1], field[0]), template)


def _format_problem(step: TemplateStep | RefusalStep, written: TrainingFormat) -> str | None:
    if written == "preference" and step.rejected is None:
        return "the set is of preferences, and a new one needs `rejected`. Write it."
    if written != "preference" and step.rejected is not None:
        return f"`rejected` is for sets of preferences, and this one is {written}. Remove it."
    return None


def _rows(step: Variables, name: str, beside: Path) -> list[_Values]:
    """The rows of the step's table as texts; one empty row where it has no table."""
    if step.table is None:
        return [{}]
    path = (beside / Path(step.table).expanduser()).resolve()
    table = read_table(path)
    texts = step.texts if isinstance(step, TemplateStep | RefusalStep) else {}
    if problems := step.placeholder_problems(texts, table.columns):
        raise ConfigError(problems_message(f"step {name}, with the table {path}", problems))
    used = {found for text in texts.values() if text for found in PLACEHOLDER.findall(text)} & set(table.columns)
    wrong: list[str] = []
    rows: list[_Values] = []
    for row in table.rows:
        values: dict[str, str] = {}
        for column in sorted(used):
            cell = row.cells.get(column, "")
            text = cell_text(cell)
            if text is None or not text.strip():
                wrong.append(
                    f"{path}:{row.line}: " + (f'"{column}" is empty.' if cell == "" else not_text(column, cell))
                )
            else:
                values[column] = text
        rows.append(values)
    if wrong:
        raise DataError(problems_message(str(path), wrong))
    return rows


def _combinations(step: Variables, rows: Sequence[_Values], name: str, *, seed: str) -> list[dict[str, str]]:
    """Rows times the values of each variable; drawn without making those that are not drawn."""
    choices: list[Sequence[_Values]] = [rows]
    choices += [[{variable: value} for value in values] for variable, values in step.variables.items()]
    total = math.prod(len(one) for one in choices)
    if step.sample is None and total > MOST_WITHOUT_A_SAMPLE:
        raise ConfigError(
            f"step {name}: {total:,} combinations, and at most {MOST_WITHOUT_A_SAMPLE:,} are made of one template. "
            "Say how many to draw: `sample: 200`."
        )
    numbers = range(total)
    if step.sample is not None and step.sample < total:
        numbers = sorted(random.Random(seed).sample(range(total), step.sample))
    return [_combination(number, choices) for number in numbers]


def _combination(number: int, choices: Sequence[Sequence[_Values]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for one in reversed(choices):
        number, place = divmod(number, len(one))
        values |= one[place]
    return dict(sorted(values.items()))
