"""The command line: `python -m modal_control_plane` prints what a client's environment needs, and runs until SIGINT."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import signal
import tempfile
from pathlib import Path

from .fixture import ControlPlane


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m modal_control_plane", description=__doc__)
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("--state", type=Path, help="a folder for everything it keeps (else a temporary one)")
    parser.add_argument("--interpreter", action="append", default=[], metavar="ENVIRONMENT=PATH")
    parser.add_argument("--secret", action="append", default=[], metavar="NAME:KEY=VALUE[,KEY=VALUE…]")
    arguments = parser.parse_args()
    interpreters = {name: Path(path) for name, path in (each.split("=", 1) for each in arguments.interpreter)}
    secrets = {name: _pairs(pairs) for name, pairs in (each.split(":", 1) for each in arguments.secret)}
    with contextlib.ExitStack() as stack:
        state = arguments.state or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="modal-")))
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        plane = stack.enter_context(ControlPlane(state, interpreters, secrets))
        for name, value in plane.client_environment.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
        for rpc, count in plane.unknown_rpcs.items():
            print(f"# not offered: {rpc}, asked for {count} times")


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split(",") if pair)


if __name__ == "__main__":
    main()
