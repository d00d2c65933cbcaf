"""Somebody opens a page of the application inside the portal: who is he, is he an administrator, is the portal known?

The post's fields are claims. A viewer is who the *stored* portal says his token belongs to; his token serves that question
only. An administrator's opening installs the application, or heals a portal whose access was lost. Pages:
settings/oauth/simple-way.md, settings/app-installation/local-apps/installation-master.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from b24app.bitrix.callbacks import PageOpened
from b24app.bitrix.commands import Command
from b24app.bitrix.errors import AuthLost, PortalError, PortalMoved, Refused, Transient
from b24app.bitrix.gate import Gate
from b24app.bitrix.oauth import Profile
from b24app.core.item import ItemRef
from b24app.core.text import Lang
from b24app.engine.access import StoredBudget, moved
from b24app.engine.arriving import spare
from b24app.engine.arriving.intake import carries
from b24app.engine.arriving.trust import UnknownSender, Unproven, connect, inquired, proved
from b24app.engine.workshop import Workshop
from b24app.log import log, mask
from b24app.store.portals import Portal

_RUSSIAN = ("ru", "be", "by", "kk", "kz", "uk", "ua", "uz")

_log = log("openings")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page, as the portal names him; ``lang`` is the language of his portal."""

    user_id: int
    admin: bool
    name: str
    lang: Lang


@dataclass(frozen=True, slots=True)
class Opened:
    """A verified opening. ``access`` is the viewer's own token: good for asking what *he* may see, and for nothing else."""

    portal: Portal
    viewer: Viewer
    page: PageOpened
    access: str = field(repr=False)
    first: bool = False

    @property
    def item(self) -> ItemRef | None:
        """The item whose card was opened; whether the viewer may see it tells `may_see`."""
        return ItemRef(*self.page.item) if self.page.item else None


class _OneToken:
    """The viewer's token: never renewed, as it is his."""

    def __init__(self, access: str) -> None:
        self._access = access

    def access(self) -> str:
        return self._access

    def renew(self, stale: str) -> str:
        raise AuthLost("", "the viewer's token is not good any more")


def opened(workshop: Workshop, page: PageOpened) -> Opened:
    """Verify an opening; raises ``UnknownSender``, or ``Unproven`` with the reason.

    Unknown portals are installed by an administrator's opening; an ordinary user's tokens never replace the stored ones.
    """
    sender = page.sender
    mask.learn(sender.access_token or "", sender.refresh_token or "", sender.application_token or "")
    with workshop.database.read() as connection:
        portal = workshop.portals.by_member(connection, sender.member_id)
    if portal is None or portal.state == "removed" or not _token_fits(portal, page):
        return _installed(workshop, page, first=portal is None or portal.state == "removed")
    doubt = None if carries(portal, sender) else inquired(workshop)  # only the portal itself has its application token
    portal, user = _who(workshop, portal, sender.access_token or "")
    if doubt is not None:
        doubt.settled = True
    if portal.state == "reconnect" and user.admin and sender.refresh_token:
        return _installed(workshop, page, first=False)
    spare.offer(workshop, portal, replace(sender, user_id=user.user_id))
    return Opened(portal, _viewer(user, page), page, sender.access_token or "")


def may_see(workshop: Workshop, seen: Opened, item: ItemRef) -> bool:
    """Ask the portal, with the viewer's own token, whether he may read an item; raises ``PortalError`` without an answer."""
    gate = Gate(
        workshop.session(), seen.portal.grant.endpoint, _OneToken(seen.access), StoredBudget(workshop, seen.portal.id)
    )
    try:
        gate.call(Command("crm.item.get", {"entityTypeId": item.entity_type_id, "id": item.id}))
    except Refused:
        return False
    return True


def lang_of(code: str, default: Lang = "en") -> Lang:
    """Choose the language of a page by what the portal or the browser says."""
    if not code:
        return default
    return "ru" if code.lower()[:2] in _RUSSIAN else "en"


def _token_fits(portal: Portal, page: PageOpened) -> bool:
    """Tell whether the application token is the stored one; older portals send none, and the viewer's token decides."""
    return not page.sender.application_token or not portal.application_tokens or carries(portal, page.sender)


def _installed(workshop: Workshop, page: PageOpened, *, first: bool) -> Opened:
    """Install, or store an administrator's tokens: his refresh token is exchanged, so that the new pair is ours alone."""
    proof = proved(workshop, page.sender)
    portal = connect(workshop, page.sender, proof, lang_of(page.language, workshop.settings.lang))
    return Opened(portal, _viewer(proof.user, page), page, page.sender.access_token or "", first)


def _who(workshop: Workshop, portal: Portal, access: str) -> tuple[Portal, Profile]:
    """Ask the stored portal whose token this is, following it once to a new address."""
    try:
        try:
            return portal, workshop.oauth.profile(portal.grant.endpoint, access)
        except PortalMoved as move:
            portal = moved(workshop, portal, move.endpoint)
            return portal, workshop.oauth.profile(portal.grant.endpoint, access)
    except Transient as trouble:
        raise Unproven("refused" if trouble.status == 401 else "later") from trouble
    except PortalError as refusal:
        _log.info("a viewer was refused", error=str(refusal))
        raise UnknownSender(portal.member_id) from refusal


def _viewer(user: Profile, page: PageOpened) -> Viewer:
    name = f"{user.name} {user.last_name}".strip() or str(user.user_id)
    return Viewer(user.user_id, user.admin, name, lang_of(page.language))
