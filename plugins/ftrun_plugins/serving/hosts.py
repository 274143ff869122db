"""Names of the server that a request may use. Standard library only, because it runs with the engine.

A page of another site can reach a server on this machine if the site's name leads to 127.0.0.1 for a while (DNS
rebinding). The browser then sends the name of the site as the host.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from fnmatch import fnmatchcase

HOST = re.compile(r"(\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^\s:\[\]/@?#]+))(:\d*)?", re.IGNORECASE)


def is_allowed(host: str, allowed: Collection[str]) -> bool:
    """Return whether the header `Host` has a name of this machine, an address, or a name that a pattern allows.

    Addresses are allowed because no site can make a browser send one in its place.
    """
    found = HOST.fullmatch(host)
    if found is None:
        return False
    name = (found["address"] or found["name"]).lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost") or _is_address(name):
        return True
    return any(fnmatchcase(name, pattern.lower()) for pattern in allowed)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
