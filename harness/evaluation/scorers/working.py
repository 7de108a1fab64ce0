"""The calculation that an answer shows, carried out without error.

A model may choose the right figures and still miscalculate. Reading its working apart tells the two errors from each
other, as a person who checks it with a calculator would.

1. A calculation is a run of numbers joined by `+ - * / ^` (or `×`, `x`, `÷`, `**`), with brackets. Thousands have
   commas, as in `1,234.5`. A percent sign is passed over: `0.39 x 100 %` comes to 39.
2. The working is the first calculation after the last `Working:`, on its line. A text without that mark is read for
   its last calculation.

What can still go wrong: a calculation in steps (`a + b = c - d`) is read up to its first result, and one with words or
units between its numbers is not read as a whole.
"""

import ast
import re
from decimal import Decimal

from harness.evaluation.scorers.figure import plain

_LARGEST_EXPONENT = 100
_NUMBER = r"(?:[0-9]{1,18}(?:,[0-9]{3}){0,6}(?:\.[0-9]{1,18})?|\.[0-9]{1,18})"
_OPERAND = rf"(?:[-(] ?){{0,6}}{_NUMBER}(?: ?[%)]){{0,6}}"
_CALCULATION = re.compile(rf"(?<![0-9.,]){_OPERAND}(?: ?[-+*/^x×÷] ?{_OPERAND}){{1,20}}(?![0-9])")
_MARK = re.compile(r"\bworking\b ?:", re.IGNORECASE)
_POWER = re.compile(r"(?<=[0-9)]) ?\*\* ?(?=[0-9(])")  # not the marks of bold type
_AS_PYTHON = str.maketrans({"x": "*", "×": "*", "÷": "/", "^": "**", ",": None, "%": None})


def find_working(text: str) -> str | None:
    """The calculation that a text shows, as written; None if there is none."""
    lines = [plain(_POWER.sub(" ^ ", line)) for line in text.splitlines()]
    marked = [line[mark.end() :] for line in lines for mark in _MARK.finditer(line)]
    if marked:
        first = _CALCULATION.search(marked[-1])
        return first[0].strip() if first else None
    found = [calculation[0] for line in lines for calculation in _CALCULATION.finditer(line)]
    return found[-1].strip() if found else None


def calculate(calculation: str) -> Decimal | None:
    """What a calculation comes to.

    Returns:
        The value, to 28 digits. None if it is no calculation, its brackets do not match, or its value is not defined,
        such as after a division by zero; powers with an exponent beyond 100 are not calculated either.
    """
    if not _CALCULATION.fullmatch(calculation):
        return None
    try:
        return _value(ast.parse(calculation.translate(_AS_PYTHON).strip(), mode="eval").body)
    except (SyntaxError, ArithmeticError):
        return None


def _value(node: ast.expr) -> Decimal:
    match node:
        case ast.BinOp(left=left, op=how, right=right):
            return _joined(_value(left), how, _value(right))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.Constant(value=int() | float() as number):
            return Decimal(repr(number))
        case _:
            raise SyntaxError(f"{ast.dump(node)} is no arithmetic")


def _joined(one: Decimal, how: ast.operator, other: Decimal) -> Decimal:
    match how:
        case ast.Add():
            return one + other
        case ast.Sub():
            return one - other
        case ast.Mult():
            return one * other
        case ast.Div():
            return one / other
        case ast.Pow() if abs(other) <= _LARGEST_EXPONENT:
            return one**other
        case _:
            raise ArithmeticError(f"{one} and {other} are not joined by {ast.dump(how)}")
