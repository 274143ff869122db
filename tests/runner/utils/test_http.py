"""A secret goes to the origin that it belongs to, and nowhere along a redirect."""

from __future__ import annotations

import pytest

from ftrun.utils.http import SECRET_HEADERS, client
from helpers.redirects import recorder

SECRETS = dict.fromkeys(SECRET_HEADERS, "s3cret")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_secret_follows_a_redirect_to_another_port(code: int) -> None:
    with recorder(code) as home, recorder() as other:
        home.target = other.url
        with client(5, home=home.url) as http:
            assert http.get(home.url, headers=SECRETS).status_code == 200
        assert "s3cret" in home.headers[0].values()
        assert not {"s3cret", "session=of-the-first"} & set(other.headers[0].values())


def test_no_secret_follows_a_redirect_to_another_host_and_back() -> None:
    with recorder() as home:
        home.target = f"http://localhost:{home.server_port}/here"
        with client(5, home=home.url) as http:
            assert http.get(f"{home.url}/a", headers=SECRETS).status_code == 200
        assert [set(SECRETS) <= set(headers) for headers in home.headers] == [True, False]
        assert "s3cret" not in home.headers[1].values()


def test_a_secret_follows_a_redirect_of_its_own_server() -> None:
    with recorder() as home:
        home.target = f"{home.url}/here"
        with client(5, home=home.url) as http:
            http.get(f"{home.url}/a", headers=SECRETS)
        assert [headers.get("authorization") for headers in home.headers] == ["s3cret", "s3cret"]


def test_without_a_home_no_secret_is_sent() -> None:
    with recorder() as server, client(5) as http:
        http.get(server.url, headers=SECRETS)
        assert "s3cret" not in server.headers[0].values()
