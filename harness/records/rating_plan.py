"""A campaign's plan: everything that its raters may be shown, fixed when it is opened."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.records.rating import Campaign


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedAnswer:
    """An answer as raters see it: names of models are masked in `text`; `masked` says that some were."""

    text: str
    masked: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedItem:
    """An item, or a training record to validate, as raters see it.

    `turns` are (role, text) pairs. `answers` is by run id; where data are validated it holds one, under `""`.
    `item_hash` is that of the item or record.
    """

    item_hash: str
    turns: tuple[tuple[str, str], ...]
    reference: str | None
    answers: Mapping[str, PlannedAnswer]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A campaign as opened, with every item that it may show, by item id: also those it may be extended by."""

    campaign: Campaign
    items: Mapping[str, PlannedItem]
