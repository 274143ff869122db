"""Regular expressions from recipes and rows, with search times that are linear in the length of the text.

They use the Rust engine that is part of pydantic, because one row could keep Python's engine busy for hours. The Rust
engine supports neither look-around nor backreferences. Flags are written in the pattern, as in `(?s)`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema


@lru_cache(maxsize=1000)  # each row may have a different pattern
def search(pattern: str) -> Callable[[str], bool]:
    """Return a function that returns True for texts in which the pattern matches, and False for any other value.

    Raises:
        ValueError: If the pattern is invalid, with the engine's reason.
    """
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, strict=True)).isinstance_python
    except SchemaError as error:
        reason = str(error).strip().splitlines()[-1].removeprefix("error: ").removeprefix("SchemaError: ").strip(" .")
        raise ValueError(reason) from None
