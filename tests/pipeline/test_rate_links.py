"""Personal links: forged, expired, revoked and foreign ones open nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from itsdangerous import URLSafeSerializer

from harness.errors import LinkError, RatingError
from harness.pipeline.rate_links import invite, invite_owner, links_of, revoke, visitor
from harness.store.keys import home_key

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def token(home: Path, *, days: float = 14, rater: str = "Ada") -> str:
    return invite(home, "c-1", [rater], days=days, now=NOW)[0].token


def why(home: Path, tried: str, *, now: datetime = NOW) -> str:
    with pytest.raises(LinkError) as refused:
        visitor(home, tried, now=now)
    assert str(refused.value).endswith(".")
    return refused.value.why


def test_a_token_lets_in_whom_it_was_made_for(tmp_path: Path):
    link = visitor(tmp_path, token(tmp_path), now=NOW)
    assert (link.role, link.rater, link.campaign_id) == ("rater", "Ada", "c-1")
    assert link.expires_at == NOW + timedelta(days=14)


def test_a_token_says_nothing_and_fits_in_a_url_and_a_cookie(tmp_path: Path):
    [made] = invite(tmp_path, "c-sentinel", ["Ada Sentinel"], days=1, now=NOW)
    serializer = URLSafeSerializer(b"any key", salt="any")
    assert serializer.loads_unsafe(made.token)[1] == made.link.link_id
    assert set(made.token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert len(made.link.link_id) >= 22  # 128 random bits


def test_a_forged_token_opens_nothing(tmp_path: Path):
    good = token(tmp_path)
    head, signed = good.rsplit(".", 1)
    tried = ["", "x", good[:-1], good + "A", f"{head}.{signed[::-1]}", "a" * 100_000, "\ud800", ".", f"{head}."]
    other = URLSafeSerializer(b"another key", salt="harness.rating.link").dumps(
        visitor(tmp_path, good, now=NOW).link_id
    )
    wrong_salt = URLSafeSerializer(home_key(tmp_path), salt="another use").dumps("x")
    unknown = URLSafeSerializer(home_key(tmp_path), salt="harness.rating.link").dumps("never issued")
    no_text = URLSafeSerializer(home_key(tmp_path), salt="harness.rating.link").dumps({"id": 1})
    assert {why(tmp_path, str(one)) for one in (*tried, other, wrong_salt, unknown, no_text)} == {"forged"}


def test_a_token_of_another_home_opens_nothing(tmp_path: Path):
    token(tmp_path / "ours")
    assert why(tmp_path / "ours", token(tmp_path / "theirs")) == "forged"


def test_a_link_ends_when_it_was_said_to(tmp_path: Path):
    made = token(tmp_path, days=1)
    visitor(tmp_path, made, now=NOW + timedelta(hours=23, minutes=59))
    assert why(tmp_path, made, now=NOW + timedelta(days=1)) == "expired"
    owner = invite_owner(tmp_path, now=NOW).token
    assert visitor(tmp_path, owner, now=NOW + timedelta(hours=11)).role == "owner"
    assert why(tmp_path, owner, now=NOW + timedelta(hours=12)) == "expired"


def test_revoking_a_rater_ends_all_her_links_and_nobody_elses(tmp_path: Path):
    first, second, bobs = token(tmp_path), token(tmp_path), token(tmp_path, rater="Bob")
    assert len(revoke(tmp_path, raters=["Ada"])) == 2
    assert (why(tmp_path, first), why(tmp_path, second)) == ("revoked", "revoked")
    visitor(tmp_path, bobs, now=NOW)
    assert revoke(tmp_path, raters=["Ada"]) == ()
    visitor(tmp_path, token(tmp_path), now=NOW)


def test_one_link_or_all_owners_can_be_revoked(tmp_path: Path):
    first, second = token(tmp_path), token(tmp_path)
    owner = invite_owner(tmp_path, now=NOW).token
    revoke(tmp_path, link_ids=[visitor(tmp_path, first, now=NOW).link_id])
    assert why(tmp_path, first) == "revoked"
    visitor(tmp_path, second, now=NOW)
    revoke(tmp_path, owners=True)
    assert why(tmp_path, owner) == "revoked"
    assert [link.revoked_at is None for link in links_of(tmp_path, "c-1")] == [False, True]


def test_who_has_no_link_cannot_be_revoked_and_nothing_else_is(tmp_path: Path):
    made = token(tmp_path)
    with pytest.raises(RatingError, match=r'"Adda" has a link; did you mean "Ada"\?'):
        revoke(tmp_path, raters=["Ada", "Adda"])
    with pytest.raises(RatingError, match='no link "x"'):
        revoke(tmp_path, link_ids=["x"])
    visitor(tmp_path, made, now=NOW)


@pytest.mark.parametrize(
    ("names", "days", "said"),
    [
        ([], 14, "no name was given"),
        (["Ada", "  "], 14, "a name is empty"),
        (["Ada", "Bob", "Ada "], 14, "Ada is there twice"),
        (["A\nda"], 14, "cannot be printed"),
        (["x" * 101], 14, "has 101 characters"),
        (["Ada"], 0, "--days is 0; allowed: above 0, up to 365"),
        (["Ada"], 366, "--days is 366"),
        (["Ada"], float("nan"), "--days is nan"),
    ],
)
def test_an_invitation_that_makes_no_sense_is_refused(tmp_path: Path, names: list[str], days: float, said: str):
    with pytest.raises(RatingError, match=said):
        invite(tmp_path, "c-1", names, days=days)
    assert links_of(tmp_path, "c-1") == ()


def test_a_home_that_was_never_used_lets_nobody_in_and_is_left_alone(tmp_path: Path):
    assert why(tmp_path / "none", "IngiLg.abc") == "forged"
    assert not (tmp_path / "none").exists()


def test_one_name_is_one_rater_however_its_letters_are_put_together(tmp_path: Path):
    composed, apart = "Zo\u00eb", "Zoe\u0308"
    assert [one.link.rater for one in invite(tmp_path, "c-1", [apart], days=1)] == [composed]
    with pytest.raises(RatingError, match="is there twice"):
        invite(tmp_path, "c-1", [composed, f" {apart} "], days=1)
    assert [one.rater for one in revoke(tmp_path, raters=[apart])] == [composed]
