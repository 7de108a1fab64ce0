"""Personal links: a signed random id, looked up anew at every call; expiry and revocation are kept here, not in it."""

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from harness.errors import LinkError, RatingError, nearest
from harness.records.rating import Link
from harness.store.keys import KEY_NAME, home_key, signature
from harness.store.rating_lines import Revocation
from harness.store.rating_links import live_links

OWNER_HOURS = 12
LONGEST_DAYS = 365

LONGEST_NAME = 100

_SALT = "harness.rating.link"  # a signature made for another use opens nothing here
_LONGEST_TOKEN = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    """A link with its token: what is sent to a rater. Who has the token has the link."""

    link: Link
    token: str


def visitor(home: Path, token: str, *, now: datetime | None = None) -> Link:
    """Who a token lets in. Whether her campaign is still open is not looked at here.

    Raises:
        LinkError: The token is not one of this home's, or its link is too old or revoked.
        StoreError: The home's key or its links cannot be read.
    """
    link = live_links(home).find(_link_id(home, token))
    if link is None:
        raise _forged()
    if link.revoked_at is not None:
        raise LinkError("This link was taken back. Ask whoever sent it for a new one.", why="revoked")
    if (now or datetime.now(UTC)) >= link.expires_at:
        raise LinkError(
            f"This link was good until {link.expires_at:%d %B %Y}. Ask whoever sent it for a new one; what you gave is "
            "kept.",
            why="expired",
        )
    return link


def invite(
    home: Path, campaign_id: str, raters: Sequence[str], *, days: float, now: datetime | None = None
) -> tuple[Invitation, ...]:
    """Makes a link for each rater. Earlier links of hers stay good.

    Args:
        home: Where the campaign is.
        campaign_id: The campaign.
        raters: Names, as the owner will see them; one name is one rater.
        days: For how long the links are good, above 0 and up to 365.
        now: The moment to record.

    Raises:
        RatingError: A name is empty, too long or twice there, or `days` is out of range.
        DiskFullError: There is no room.
    """
    names = [rater_name(name) for name in raters]
    problems = _name_problems(names)
    if not 0 < days <= LONGEST_DAYS:
        problems.append(f"--days is {days:g}; allowed: above 0, up to {LONGEST_DAYS}")
    if problems:
        raise RatingError(f"nobody was invited: {'; '.join(problems)}.")
    at = now or datetime.now(UTC)
    return _issue(
        home,
        [
            Link(
                link_id=secrets.token_urlsafe(16),
                role="rater",
                rater=name,
                campaign_id=campaign_id,
                issued_at=at,
                expires_at=at + timedelta(days=days),
            )
            for name in names
        ],
    )


def invite_owner(home: Path, *, hours: float = OWNER_HOURS, now: datetime | None = None) -> Invitation:
    """Makes a short-lived link that opens the owner's pages.

    Raises:
        DiskFullError: There is no room.
    """
    at = now or datetime.now(UTC)
    link = Link(
        link_id=secrets.token_urlsafe(16),
        role="owner",
        rater=None,
        campaign_id=None,
        issued_at=at,
        expires_at=at + timedelta(hours=hours),
    )
    return _issue(home, [link])[0]


def revoke(
    home: Path, *, raters: Sequence[str] = (), link_ids: Sequence[str] = (), owners: bool = False
) -> tuple[Link, ...]:
    """Takes links back: those of raters, those with an id, or all owners' ones. It holds from the next request on.

    Returns:
        The links that were good and are no longer.

    Raises:
        RatingError: A rater has no link, or there is no link with an id.
        DiskFullError: There is no room.
    """
    links, raters = live_links(home), [rater_name(name) for name in raters]
    known = links.all()
    for name in raters:
        if name not in {link.rater for link in known}:
            names = {link.rater for link in known if link.rater}
            hint = nearest(name, names) if names else "no rater was invited yet"
            raise RatingError(f'nobody called "{name}" has a link; {hint}')
    for link_id in link_ids:
        if link_id not in {link.link_id for link in known}:
            raise RatingError(f'there is no link "{link_id}"; `harness rate status --json` lists them.')
    wanted = [
        link
        for link in known
        if link.revoked_at is None
        and (link.rater in raters or link.link_id in link_ids or (owners and link.role == "owner"))
    ]
    if wanted:
        at = datetime.now(UTC)
        links.add([Revocation(link_id=link.link_id, revoked_at=at) for link in wanted])
    return tuple(wanted)


def links_of(home: Path, campaign_id: str) -> tuple[Link, ...]:
    """Every link to a campaign, oldest first, those too that are good no longer."""
    return tuple(link for link in live_links(home).all() if link.campaign_id == campaign_id)


def rater_name(typed: str) -> str:
    """A name as it is stored: no blanks around it, each letter in its one form, so that one name is one rater."""
    return unicodedata.normalize("NFC", typed.strip())


def storage_key(home: Path, link: Link) -> str:
    """A name for a rater's place in her browser's storage: the same for all her links, and says nothing."""
    return signature(home_key(home), f"storage/{link.campaign_id}/{link.rater}")[:24]


def _issue(home: Path, links: Sequence[Link]) -> tuple[Invitation, ...]:
    home.mkdir(parents=True, exist_ok=True)
    serializer = _serializer(home)
    live_links(home).add(list(links))
    return tuple(Invitation(link=link, token=_text(serializer.dumps(link.link_id))) for link in links)


def _link_id(home: Path, token: str) -> str:
    if len(token) > _LONGEST_TOKEN or not (home / KEY_NAME).exists():  # no key: no link was ever made here
        raise _forged()
    try:
        content: object = _serializer(home).loads(token)
    except (BadData, UnicodeError) as wrong:
        raise _forged() from wrong
    if not isinstance(content, str):
        raise _forged()
    return content


def _forged() -> LinkError:
    return LinkError(
        "This link is not known here. See that it was copied whole, or ask whoever sent it for a new one.", why="forged"
    )


def _serializer(home: Path) -> URLSafeSerializer:
    return URLSafeSerializer(home_key(home), salt=_SALT)


def _text(token: str | bytes) -> str:
    return token if isinstance(token, str) else token.decode("ascii")


def _name_problems(names: Sequence[str]) -> list[str]:
    problems: list[str] = []
    if not names:
        problems.append("no name was given; write one or more")
    if not all(names):
        problems.append("a name is empty")
    problems += [
        f'"{name[:20]}..." has {len(name)} characters; allowed: up to {LONGEST_NAME}'
        for name in names
        if len(name) > LONGEST_NAME
    ]
    if not all(name.isprintable() for name in names):
        problems.append("a name has a character that cannot be printed")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        problems.append(f"{', '.join(twice)} is there twice; one name is one rater")
    return problems
