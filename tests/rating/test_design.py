"""The design holds whoever comes, goes and stays: seen over whole campaigns, played through."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.rating.design import CLOSING_AFTER, next_assignments, open_screen, screens_left
from tests.rating.room import Room, make_campaign

RUNS = ("run-a", "run-b", "run-c")


def numbered(count: int) -> tuple[str, ...]:
    return tuple(f"i{number:02}" for number in range(count))


def spread(values: Iterable[object]) -> int:
    """Most minus fewest."""
    counts = Counter(values).values()
    return max(counts) - min(counts)


def test_every_item_is_rated_by_exactly_k_raters_who_rate_every_system(room_of) -> None:
    room = room_of(raters_per_item=2)
    room.finish(["ann", "bob", "cy"])
    for item_id in room.campaign.item_ids:
        assert sorted(room.raters_of(item_id).values()) == [3, 3]


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["rubric", "pairwise", "both", "validate"]),
    n_raters=st.integers(3, 6),
    k=st.integers(1, 3),
    seed=st.integers(0, 10_000),
    steps=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["judge", "open", "leave", "wait"])), max_size=150),
)
def test_who_drops_out_or_comes_late_leaves_every_item_with_exactly_k_raters(kind, n_raters, k, seed, steps) -> None:
    runs = {} if kind == "validate" else {"x": "run-a", "y": "run-b", "z": "run-c"}
    room = Room(campaign=make_campaign(kind=kind, raters_per_item=k, seed=seed, repeats=0.2, runs=runs))
    names = [f"r{number}" for number in range(n_raters)]
    gone: set[str] = set()
    for who, what in steps:
        rater = names[who % n_raters]
        if what == "wait":
            room.wait(minutes=20)
        elif what == "leave" and len(gone) < n_raters - k:
            gone.add(rater)
        elif rater not in gone:
            room.judge(rater) if what == "judge" else room.show(rater)
        room.wait(seconds=20)
    room.wait(hours=1)
    room.finish([name for name in names if name not in gone])
    size = {"rubric": 3, "pairwise": 1, "both": 4, "validate": 1}[kind]
    for item_id in room.campaign.item_ids:
        assert list(room.raters_of(item_id).values()).count(size) == k
    for name in names:
        shown = [(one.item_id, one.run_ids, one.kind) for one in room.of(name) if one.purpose != "repeat"]
        assert len(shown) == len(set(shown))


def test_a_rater_gets_an_item_again_only_as_a_hidden_repeat_of_her_own_screen(room_of) -> None:
    room = room_of(kind="both", repeats=0.2)
    room.finish(["ann", "bob"])
    by_id = {one.assignment_id: one for one in room.assignments}
    for rater in ("ann", "bob"):
        hers = room.of(rater)
        blocks = [one.item_id for one in hers if one.purpose == "scored" and one.kind == "pairwise"]
        assert len(blocks) == len(set(blocks)) == 12
        repeats = [one for one in hers if one.purpose == "repeat"]
        assert len(repeats) in (9, 10)
        for again in repeats:
            first = by_id[again.repeat_of]
            assert first.rater == rater
            assert (first.item_id, first.kind) == (again.item_id, again.kind)
            assert first.run_ids == tuple(reversed(again.run_ids))
            between = {one.item_id for one in hers if first.position < one.position < again.position}
            assert len(between - {first.item_id}) >= 3


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25])
def test_the_share_of_hidden_repeats_is_that_of_the_campaign(room_of, share: float) -> None:
    room = room_of(repeats=share, item_ids=numbered(40))
    room.finish(["ann", "bob"])
    for rater in ("ann", "bob"):
        scored = sum(one.purpose == "scored" and one.kind == "rubric" for one in room.of(rater))
        repeats = [one for one in room.of(rater) if one.purpose == "repeat"]
        assert scored == 120
        assert abs(len(repeats) - share * scored) <= 1
        assert not repeats or spread(one.run_ids for one in repeats) <= 1
        assert len({one.repeat_of for one in repeats}) == len(repeats)


def test_systems_stand_in_each_place_equally_often_for_each_rater(room_of) -> None:
    room = room_of(item_ids=numbered(18), raters_per_item=3)
    room.finish(["ann", "bob", "cy"])
    for rater in ("ann", "bob", "cy"):
        screens = [one.run_ids[0] for one in room.of(rater) if one.kind == "rubric"]
        for place in range(3):
            assert Counter(screens[place::3]) == dict.fromkeys(RUNS, 6)


def test_pairs_and_sides_are_balanced_for_each_rater(room_of) -> None:
    room = room_of(kind="pairwise", item_ids=numbered(20))
    room.finish(["ann", "bob", "cy"])
    for rater in ("ann", "bob", "cy"):
        shown = [one.run_ids for one in room.of(rater) if one.kind == "pairwise"]
        assert len({frozenset(duel) for duel in shown}) == 3
        assert spread(frozenset(duel) for duel in shown) <= 1
        assert spread(run_id for duel in shown for run_id in duel) <= 1
        for first, second in combinations(RUNS, 2):
            assert abs(shown.count((first, second)) - shown.count((second, first))) <= 1


def test_raters_share_the_pair_on_some_items_and_not_on_others(room_of) -> None:
    room = room_of(kind="pairwise", item_ids=numbered(40))
    room.finish(["ann", "bob"])
    by_item: dict[str, set[frozenset[str]]] = {}
    for one in room.assignments:
        if one.kind == "pairwise":
            by_item.setdefault(one.item_id, set()).add(frozenset(one.run_ids))
    shared = sum(len(pairs) == 1 for pairs in by_item.values())
    assert 10 <= shared <= 30


def test_two_raters_of_one_pair_mostly_see_it_from_both_sides(room_of) -> None:
    room = room_of(kind="pairwise", runs={"x": "run-a", "y": "run-b"})
    room.finish(["ann", "bob"])
    by_item: dict[str, list[tuple[str, ...]]] = {}
    for one in room.assignments:
        if one.kind == "pairwise":
            by_item.setdefault(one.item_id, []).append(one.run_ids)
    assert sum(len(set(sides)) == 2 for sides in by_item.values()) > len(by_item) / 2
    assert Counter(sides[0] for both in by_item.values() for sides in both) == {"run-a": 12, "run-b": 12}


def test_the_order_differs_between_raters_and_seeds_and_is_the_same_again(room_of) -> None:
    def order(seed: int) -> list[list[str]]:
        room = room_of(seed=seed, item_ids=numbered(20))
        room.finish(["ann", "bob"])
        return [[one.item_id for one in room.of(rater)] for rater in ("ann", "bob")]

    ann, bob = order(1)
    assert order(1) == [ann, bob]
    assert ann != bob
    assert order(2)[0] != ann
    assert ann != sorted(ann)


def test_calibration_comes_first_for_everybody_however_many_they_are(room_of) -> None:
    room = room_of(kind="both", calibration_ids=("k1", "k2"), raters_per_item=1)
    room.finish(["ann", "bob", "cy"])
    duels = set()
    for rater in ("ann", "bob", "cy"):
        first, rest = room.of(rater)[:8], room.of(rater)[8:]
        assert [one.item_id for one in first] == ["k1"] * 4 + ["k2"] * 4
        assert {one.purpose for one in first} == {"calibration"}
        assert {one.purpose for one in rest} == {"scored"}
        duels.add(tuple(frozenset(one.run_ids) for one in first if one.kind == "pairwise"))
    assert len(duels) == 1


def test_the_closing_question_comes_last_once_with_every_system(room_of) -> None:
    room = room_of()
    room.finish(["ann", "bob"])
    for rater in ("ann", "bob"):
        *before, last = room.of(rater)
        assert last.kind == "closing"
        assert sorted(last.run_ids) == list(RUNS)
        assert last.item_id in {one.item_id for one in before}
        assert all(one.kind != "closing" for one in before)


@pytest.mark.parametrize("changes", [{"kind": "validate", "runs": {}}, {"runs": {"x": "run-a"}}])
def test_without_two_systems_there_is_no_closing_question(room_of, changes) -> None:
    room = room_of(**changes)
    room.finish(["ann", "bob"])
    assert all(one.kind != "closing" for one in room.assignments)
    assert len(room.of("ann")) == len(room.campaign.item_ids)


def test_who_comes_when_all_is_done_gets_nothing(room_of) -> None:
    room = room_of()
    room.finish(["ann", "bob"])
    assert room.show("cy") is None


def test_an_item_that_was_left_goes_to_another_and_what_was_given_stays(room_of) -> None:
    room = room_of(item_ids=("i00", "i01"), raters_per_item=1)
    first = room.judge("ann")  # one of three answers; then she leaves
    assert {room.judge("bob").item_id for _ in range(3)} == {"i00", "i01"} - {first.item_id}
    assert room.show("bob").kind == "closing"
    room.wait(minutes=31)
    room.finish(["bob"])
    assert room.raters_of(first.item_id) == {"ann": 1, "bob": 3}
    assert room.show("ann") is None


def test_within_the_lease_an_item_is_kept_and_she_goes_on_where_she_was(room_of) -> None:
    room = room_of(item_ids=("i00",), raters_per_item=1)
    first = room.judge("ann")
    room.wait(minutes=29)
    assert room.show("bob") is None
    again = room.show("ann")
    assert (again.item_id, again.position) == (first.item_id, 1)


def test_a_sign_of_life_renews_the_lease(room_of) -> None:
    room = room_of(item_ids=("i00",), raters_per_item=1)
    shown = room.show("ann")
    room.wait(minutes=29)
    room.last_sign[shown.assignment_id] = room.now
    room.wait(minutes=29)
    assert room.show("bob") is None
    room.wait(minutes=2)
    assert room.show("bob").item_id == "i00"


def test_who_lapsed_and_comes_back_before_others_goes_on(room_of) -> None:
    room = room_of(item_ids=("i00",), raters_per_item=1)
    shown = room.show("ann")
    room.wait(hours=2)
    assert room.show("ann") == shown
    assert room.show("bob") is None


def test_a_late_sign_of_life_does_not_take_the_item_from_who_has_it_now(room_of) -> None:
    room = room_of(item_ids=("i00",), raters_per_item=1)
    lapsed = room.show("ann")
    room.wait(hours=1)
    taken = room.show("bob")
    room.last_sign[lapsed.assignment_id] = room.now  # an old page of hers still types
    assert room.show("bob") == taken
    assert open_screen(room.progress, "ann", now=room.now) is None


def test_a_rater_with_an_open_screen_gets_no_other(room_of) -> None:
    room = room_of()
    room.show("ann")
    with pytest.raises(ValueError, match="open screen"):
        next_assignments(room.progress, "ann", now=room.now, new_id=lambda: "x")


def test_a_campaign_that_was_extended_goes_on(room_of) -> None:
    room = room_of(item_ids=("i00",), raters_per_item=1)
    room.finish(["ann"])
    room.campaign = replace(room.campaign, item_ids=("i00", "i01"))
    room.finish(["ann"])
    assert room.raters_of("i01") == {"ann": 3}
    assert sum(one.kind == "closing" for one in room.assignments) == 1


def test_screens_left_counts_down_and_shares_what_is_left_among_who_is_there(room_of) -> None:
    room = room_of(raters_per_item=1, repeats=0.1)
    assert screens_left(room.progress, "ann", now=room.now) in (36 + 3 + 1, 36 + 4 + 1)
    room.show("ann")
    room.show("bob")
    assert 3 + 15 < screens_left(room.progress, "ann", now=room.now) <= 3 + 15 + 4
    room.finish(["ann", "bob"])
    assert screens_left(room.progress, "ann", now=room.now) == 0


def test_who_stops_early_was_asked_the_closing_question_and_nobody_is_asked_twice(room_of) -> None:
    room = room_of(kind="pairwise", item_ids=tuple(f"i{number:02}" for number in range(40)))
    for _ in range(CLOSING_AFTER[1] + 1):
        room.judge("ann")
    asked = [one.position for one in room.of("ann") if one.kind == "closing"]
    assert len(asked) == 1
    assert CLOSING_AFTER[0] <= asked[0] <= CLOSING_AFTER[1]
    room.finish(["ann", "bob"])
    for rater in ("ann", "bob"):
        assert [one.position for one in room.of(rater) if one.kind == "closing"] == asked
        assert sum(one.kind == "pairwise" for one in room.of(rater)) == 40
