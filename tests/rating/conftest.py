"""A rubric, items, and places to put judgements down."""

from collections.abc import Callable

import pytest

from harness.records.items import Item
from harness.records.rubric import Rubric
from tests.rating.room import Desk, Room, make_campaign, make_item, make_rubric


@pytest.fixture
def rubric() -> Rubric:
    return make_rubric()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def room_of() -> Callable[..., Room]:
    return lambda **changes: Room(campaign=make_campaign(**changes))


@pytest.fixture
def items() -> dict[str, Item]:
    return {f"i{number:02}": make_item(f"i{number:02}") for number in range(60)}
