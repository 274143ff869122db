"""Regular expressions of recipes and rows, searched for in a time that grows only with the text.

They are read by the engine that pydantic brings, Rust's: Python's own could be kept busy for hours by one row. It knows
neither look-around nor backreferences; flags stand in the pattern, as in `(?s)`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema


@lru_cache(maxsize=1000)  # rows may each have a pattern of their own
def search(pattern: str) -> Callable[[str], bool]:
    """A function that says whether the pattern matches anywhere in a text; it can be no other value's.

    Raises:
        ValueError: the pattern cannot be read, with the engine's reason.
    """
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern, strict=True)).isinstance_python
    except SchemaError as error:
        reason = str(error).strip().splitlines()[-1].removeprefix("error: ").removeprefix("SchemaError: ").strip(" .")
        raise ValueError(reason) from None
