"""Gives configurations to axolotl's own validation and prints the reason of each refusal, or null, as JSON by name.

trainer/bin/python validate_configs.py CONFIGURATIONS.json
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    path = Path(sys.argv[1])
    sys.argv = sys.argv[:1]
    from axolotl.utils.config import validate_config
    from axolotl.utils.dict import DictDefault

    logging.disable()

    def refusal(values: dict[str, Any]) -> str | None:
        try:
            validate_config(DictDefault(values))
        except ValueError as error:
            return str(error)
        return None

    print(json.dumps({name: refusal(values) for name, values in json.loads(path.read_text()).items()}))


if __name__ == "__main__":
    main()
