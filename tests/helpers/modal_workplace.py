"""A workplace whose runs go to a control plane of Modal."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from helpers.workplace import Workplace, read_json, wait_until
from modal_control_plane.fixture import ControlPlane

LONGEST = 300.0  # seconds


class ModalPlace(Workplace):
    """One machine with an account; `volume` is what all machines see."""

    def __init__(self, folder: Path, plane: ControlPlane, longest: float = LONGEST) -> None:
        super().__init__(folder, longest)
        self.plane = plane
        self.plugins: Path | None = None  # a folder of packages that are as good as installed
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in super().environment.items() if not name.startswith("MODAL_")}
        more = {"PYTHONPATH": str(self.plugins)} if self.plugins else {}
        return {**inherited, **self.plane.client_environment, **more}

    @property
    def volume(self) -> Path:
        """What is committed on the Volume."""
        try:
            return self.plane.volume_folder("ftrun-store")
        except KeyError:  # nobody has made it yet
            return self.folder / "no volume"

    def elsewhere(self) -> ModalPlace:
        """Another machine with the same account, recipes and data, and an empty store."""
        other = type(self)(self.folder.with_name(f"{self.folder.name}-other"), self.plane)
        shutil.copytree(self.folder, other.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("store"))
        other.plugins = other.folder / "plugins" if self.plugins else None
        return other

    def wait_for_end(self, run: str, status: str = "done") -> dict[str, Any]:
        """The record of a run once it has ended, as it stands on the Volume."""
        path = self.volume / "runs" / run / "run.json"

        def over() -> bool:
            return path.exists() and read_json(path)["status"] not in ("waiting", "running")

        wait_until(over, f"the end of {run}", seconds=LONGEST)
        record: dict[str, Any] = read_json(path)
        assert record["status"] == status, record["problems"]
        return record
