"""Options of the backend `modal`, and dated prices for estimates."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ftrun.api import rows
from ftrun.api.recipe import Frozen
from ftrun.api.secrets import variables_of

SERVERS = "ftrun-serve-"  # prefix of the names of inference servers' apps, followed by the id of the run
MOUNT = "/ftrun-store"  # mount point of the Volume in containers


class Prices(Frozen):
    """Prices in US dollars per hour from Modal's public list. Other prices are reported as unknown."""

    date: str = "unknown"
    """Date of the price list."""
    gpu: dict[str, Annotated[float, Field(ge=0)]] = {}
    """Price of one GPU in US dollars per hour, by kind of GPU."""
    cpu: float | None = Field(default=None, ge=0)
    """Price of one core in US dollars per hour."""
    memory: float | None = Field(default=None, ge=0)
    """Price of one GiB of memory in US dollars per hour."""


class Options(rows.Options):
    """Names in the user's workspace, retries of stages, and prices."""

    volume: str = Field(default="ftrun-store", min_length=1)
    """Name of the Volume that is the store."""
    environment: str | None = None
    """Name of the Modal environment. Default: that of the workspace."""
    secrets: dict[str, str] = {}
    """Names of secrets in Modal, by ftrun's names, if the names differ."""
    retries: int = Field(default=2, ge=0, le=10)
    """Maximum number of retries of a stage whose container crashed, unless its resources set `retries`."""
    prices: Prices = Prices()
    """Price list for cost estimates."""

    @property
    def claims(self) -> str:
        """Name of the Dict with the claims on the keys of the Volume."""
        return f"{self.volume}-claims"

    def secret_advice(self, name: str) -> str:
        """Return the command that creates one of ftrun's secrets."""
        return f"modal secret create {self.secret(name)} {variables_of(name)[0]}=…"

    def secret(self, name: str) -> str:
        """Return the name in Modal of one of ftrun's secrets."""
        return self.secrets.get(name, name)
