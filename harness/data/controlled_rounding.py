"""A table of fractions rounded so that its sums stay right."""
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Any, cast


def round_table(exact: Sequence[Sequence[Fraction]]) -> list[list[int]]:
    """Rounds a table whose rows have whole sums.

    Every cell and every column's sum is its exact value rounded up or down, and every row's sum is kept. Such a table
    always exists (the vertices of this transport polytope are whole); of all, it is one whose cells go the near way
    most.

    Args:
        exact: Rows of the table, of one length; each row's sum is a whole number.

    Source: Cox (1987), A constructive procedure for unbiased controlled rounding; solved here by linear programming.
    """
    from scipy.optimize import linprog
    from scipy.sparse import eye_array, kron, vstack

    height, width = len(exact), len(exact[0])
    cells = [value for row in exact for value in row]
    in_rows = cast("Any", kron(eye_array(height), [[1.0] * width], format="csr"))
    in_columns = cast("Any", kron([[1.0] * height], eye_array(width), format="csr"))
    sums = [sum((row[column] for row in exact), Fraction()) for column in range(width)]
    solved = cast("Any", linprog)(
        [float(1 - 2 * (value - floor(value))) for value in cells],
        A_eq=in_rows,
        b_eq=[int(sum(row)) for row in exact],
        A_ub=vstack([in_columns, -in_columns], format="csr"),
        b_ub=[*map(ceil, sums), *(-floor(value) for value in sums)],
        bounds=[(floor(value), ceil(value)) for value in cells],
        method="highs-ds",
    )
    rounded = [round(value) for value in solved.x]
    return [rounded[start : start + width] for start in range(0, len(rounded), width)]
