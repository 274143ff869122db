"""Entry point of the process that executes a run in the background.

python -m ftrun.execution.background STORE RUN
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from ftrun.api.cancellation import StopSignal, stop_on_signals
from ftrun.api.errors import FtrunError
from ftrun.api.paths import Store
from ftrun.api.redaction import redact_text
from ftrun.execution.engine import execute
from ftrun.plugins.manager import plugins

log = logging.getLogger(__name__)


def main() -> int:
    store = Store(Path(sys.argv[1]))
    stop = StopSignal()
    with stop_on_signals(stop):
        try:
            execute(store, store.run(sys.argv[2]), plugins(), stop)
        except FtrunError as error:
            log.error(redact_text(str(error)))
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
