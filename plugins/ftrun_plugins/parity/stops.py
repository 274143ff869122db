"""Whether a served model ends its turn with a token that it was trained to end it with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ftrun.api.errors import Problem


def check_end(rows: Sequence[tuple[str, int]], folder: Path, tokenizer: Any, name: str) -> Iterator[Problem]:
    """Rows are places with the last trained token; each has to be among the model's stop tokens."""
    stops = stop_tokens(folder)
    names = ", ".join(repr(tokenizer.decode([one])) for one in sorted(stops)) or "none"
    for place, last in rows:
        if last not in stops:
            yield Problem(
                "parity",
                f"{name} would not stop where it was trained to: {tokenizer.decode([last])!r} ends the trained turn, "
                f"and the saved generation config stops at {names}",
                at=place,
                hint="name it in train.eot_tokens, and in the base model's generation_config.json",
            )


def stop_tokens(folder: Path) -> set[int]:
    """The stop tokens of the saved generation config; of the model's own where there is none."""
    for file in ("generation_config.json", "config.json"):
        path = folder / file
        if path.exists():
            ends = json.loads(path.read_text()).get("eos_token_id")
            return set(ends) if isinstance(ends, list) else set() if ends is None else {ends}
    return set()
