from __future__ import annotations

import socket
import urllib.error
import urllib.request

import modal
import pytest

from modal_control_plane.fixture import ControlPlane

from .conftest import function


def has_network_card(name: str = "eth0") -> bool:
    """The client looks for the web server at the address of this card."""
    return name in {card for _, card in socket.if_nameindex()}


def get(address: str, **headers: str) -> str:
    request = urllib.request.Request(f"{address}/page.txt", headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.read().decode())


@pytest.mark.skipif(not has_network_card(), reason="no network card eth0, where modal looks for a web server")
def test_a_web_server_behind_a_token(plane: ControlPlane) -> None:
    address = function("pages").get_web_url()
    assert address
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(address)
    assert get(address, **plane.proxy_headers).startswith("served at ")


def test_a_server_class(plane: ControlPlane) -> None:
    address = modal.Server.from_name("sample", "Serving").get_url()
    assert address
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(address)
    assert get(address, **plane.proxy_headers).startswith("served at ")
    assert len(plane.containers("Serving")) == 1
