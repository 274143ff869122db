"""Options of the backend `modal`, and the dated prices that estimates are made with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ftrun.api import rows
from ftrun.api.recipe import Frozen
from ftrun.api.secrets import variables_of

SERVERS = "ftrun-serve-"  # apps of inference servers, each followed by its run's id
MOUNT = "/ftrun-store"  # where containers see the Volume


class Prices(Frozen):
    """US dollars an hour by Modal's public list; what is not in it is unknown and said to be."""

    date: str = "unknown"
    gpu: dict[str, Annotated[float, Field(ge=0)]] = {}  # of one GPU, by name
    cpu: float | None = Field(default=None, ge=0)  # of one core
    memory: float | None = Field(default=None, ge=0)  # of one GiB


class Options(rows.Options):
    """Names in the user's workspace."""

    volume: str = Field(default="ftrun-store", min_length=1)
    environment: str | None = None  # of Modal; null is the workspace's default
    secrets: dict[str, str] = {}  # ftrun's name of a secret -> its name in Modal, where they differ
    retries: int = Field(default=2, ge=0, le=10)  # of a stage whose container crashed, unless its resources say
    prices: Prices = Prices()

    @property
    def claims(self) -> str:
        """The name of the Dict of claims on the Volume's keys."""
        return f"{self.volume}-claims"

    def secret_advice(self, name: str) -> str:
        """The command that makes one of ftrun's secrets."""
        return f"modal secret create {self.secret(name)} {variables_of(name)[0]}=…"

    def secret(self, name: str) -> str:
        """The name in Modal of one of ftrun's secrets."""
        return self.secrets.get(name, name)
