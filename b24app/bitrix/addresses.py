"""Which hosts may be called. Addresses in callbacks are claims: following one blindly hands tokens to a stranger."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from b24app.bitrix.errors import ForeignHost, ForeignOAuthHost

_DEFAULT_PORTS = {"https": 443, "http": 80}


class Addresses:
    """The allowed authorization servers, and the hosts that may be spoken to over plain http.

    Entries are ``host`` or ``host:port``, compared without regard to case. An entry without a port means the usual
    port; for a host that may be spoken to over http it means any port.
    """

    def __init__(self, oauth_hosts: Collection[str], http_hosts: Collection[str] = ()) -> None:
        self._oauth_hosts = tuple(host.lower() for host in oauth_hosts)
        self._http_hosts = frozenset(host.lower() for host in http_hosts)

    def first_oauth_server(self) -> str:
        """Give the server endpoint of the first allowed authorization server."""
        return f"{self.of_host(self._oauth_hosts[0])}/rest/"

    def of_host(self, host: str) -> str:
        """Give the address to call at a host nobody has named an address of: https, unless it may be called over http."""
        name = host.lower()
        plain = name in self._http_hosts or name.rpartition(":")[0] in self._http_hosts
        return f"{'http' if plain else 'https'}://{host}"

    def oauth_server(self, server_endpoint: str) -> str:
        """Give scheme and host of an authorization server's endpoint; raise ``ForeignOAuthHost`` if not allowed."""
        parts = _split(server_endpoint)
        if parts is None or not self._scheme_allowed(parts) or not self._is_oauth_host(parts):
            raise ForeignOAuthHost("", "the authorization server is not among the allowed hosts")
        return f"{parts.scheme}://{_netloc(parts)}"

    def portal(self, client_endpoint: str) -> str:
        """Normalise a portal's REST address to ``https://host[:port]/rest/``; raise ``ForeignHost`` otherwise.

        Only the form is checked here; that the address belongs to the portal is proved by asking the
        authorization server.
        """
        parts = _split(client_endpoint)
        if parts is None or not self._scheme_allowed(parts):
            raise ForeignHost("", "the portal's address is not acceptable")
        return f"{parts.scheme}://{_netloc(parts)}/rest/"

    def _scheme_allowed(self, parts: SplitResult) -> bool:
        if parts.scheme == "https":
            return True
        return parts.scheme == "http" and self._plain(parts)

    def _plain(self, parts: SplitResult) -> bool:
        return parts.hostname in self._http_hosts or _netloc(parts) in self._http_hosts

    def _is_oauth_host(self, parts: SplitResult) -> bool:
        if _netloc(parts) in self._oauth_hosts:
            return True
        usual = parts.port in (None, _DEFAULT_PORTS[parts.scheme])
        return parts.hostname in self._oauth_hosts and (usual or self._plain(parts))


def _split(address: str) -> SplitResult | None:
    """Take an address apart; ``None`` for anything with a user in it, no host, or odd characters."""
    if not address.isascii() or any(c.isspace() or c in "\\\x00" for c in address):
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or "@" in parts.netloc or parts.scheme not in _DEFAULT_PORTS or port == 0:
        return None
    return parts


def _netloc(parts: SplitResult) -> str:
    host = parts.hostname or ""
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{parts.port}" if parts.port else shown
