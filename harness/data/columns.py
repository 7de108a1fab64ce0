"""Which column of a user's file holds what: told by its name, or by the user."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.data.tables import Table
from harness.errors import DataError, nearest, problems_message

_NUMBER = re.compile(r"_?\d+$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """What a column may be for.

    Attributes:
        names: Names that say so, in lower case with `_` between words.
        perhaps: Names that say so only where no column has one of `names`.
        what: What it holds, for messages. A role with this text is one that a file needs.
        option: The option that names the column instead.
        several: Whether several columns may share the role, by number: `answer`, `answer 2`.
    """

    names: tuple[str, ...]
    perhaps: tuple[str, ...] = ()
    what: str = ""
    option: str = ""
    several: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """The columns of each role that has any, and those that have none."""

    of: Mapping[str, tuple[str, ...]]
    unused: tuple[str, ...]

    def one(self, role: str) -> str | None:
        """The column of a role, if there is one."""
        return next(iter(self.of.get(role, ())), None)


def recognise_columns(
    table: Table, roles: Mapping[str, Role], *, chosen: Mapping[str, Sequence[str]], instead: Mapping[str, str]
) -> Columns:
    """Gives each column of a table its role.

    Args:
        table: The file as read.
        roles: What columns may be for, by the name of the role.
        chosen: Columns that the user named for a role; its synonyms are then not looked at.
        instead: Roles that need not be there where another one is, such as `{"input": "messages"}`.

    Raises:
        DataError: A needed role has no column, or several could be meant, or a chosen one is not there: all at once,
            with the columns seen.
    """
    problems: list[str] = []
    of: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for name, columns in chosen.items():
        known = {column.casefold(): column for column in table.columns}
        found = [known.get(column.strip().casefold()) for column in columns]
        problems += [
            f'{roles[name].option}: "{column}" is not a column; {nearest(column, table.columns)}'
            for column, there in zip(columns, found, strict=True)
            if there is None
        ]
        of[name] = tuple(column for column in found if column is not None)
        taken.update(of[name])
    for name, role in roles.items():
        if name not in chosen and (found := _named(role, [one for one in table.columns if one not in taken])):
            if len(found) > 1 and not _are_numbered(role, found):
                problems.append(_ambiguity(role, name, found))
            of[name] = found
            taken.update(found)
    missing = [name for name, role in roles.items() if role.what and name not in of and instead.get(name) not in of]
    problems += [_absence(roles[name], name) for name in missing]
    if problems:
        seen = ", ".join(f'"{column}"' for column in table.columns) or "none"
        raise DataError(problems_message(f"{table.path} (columns seen: {seen})", problems))
    return Columns(of=of, unused=tuple(column for column in table.columns if column not in taken))


def plain_name(column: str) -> str:
    """A column's name in lower case, with `_` for each run of anything but letters and digits."""
    return re.sub(r"[\W_]+", "_", column.casefold()).strip("_")


def _named(role: Role, columns: Sequence[str]) -> tuple[str, ...]:
    for names in (role.names, role.perhaps):
        found = tuple(column for column in columns if _stem(column, role) in names)
        if found:
            return found
    return ()


def _stem(column: str, role: Role) -> str:
    return _NUMBER.sub("", plain_name(column)) if role.several else plain_name(column)


def _are_numbered(role: Role, columns: Sequence[str]) -> bool:
    """Whether columns are one name with numbers: `answer`, `answer 2`."""
    return role.several and len({_stem(column, role) for column in columns}) == 1


def _ambiguity(role: Role, name: str, found: Sequence[str]) -> str:
    listed = " and ".join(f'"{column}"' for column in found)
    way = f"say which with {role.option}" if role.option else "rename all but the one that is meant"
    return f"{listed} could each be the {role.what or name}: {way}."


def _absence(role: Role, name: str) -> str:
    option = f", or name it with {role.option}" if role.option else ""
    return f'no column is the {role.what}. Rename that column to "{name}"{option}.'
