"""Text of a recipe file: the values of a draft, with comments on what was changed, left out, and to check."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from ftrun_plugins.importing.draft import Entry, RecipeDraft

WIDTH = 110
FLOW_WIDTH = 90  # characters of a list or an object on one line
NUMBER_LIKE = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+")  # a number for Hydra, a text for PyYAML
LABELS = {"changed": "changed", "check": "to check"}


class _Dumper(yaml.SafeDumper):
    """Writer of single values."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text.strip("\n") else '"' if NUMBER_LIKE.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text.replace("${", "\\${"), style=style)


_Dumper.add_representer(str, _represent_text)


def write_recipe(draft: RecipeDraft, source: str, name: str) -> str:
    """Return the text of the recipe.

    Args:
        draft: The recipe.
        source: Name of the imported file.
        name: Name of the recipe file, for the command in the header.
    """
    comments: dict[str, list[str]] = {}
    for entry in draft.of("changed", "check"):
        if entry.target is not None:
            comments.setdefault(entry.target, []).append(f"{LABELS[entry.outcome]}: {_describe(entry)}")
    written: set[str] = set()
    body = list(_write_mapping(draft.values, (), comments, written))
    others = [entry for entry in draft.of("changed", "check") if entry.target not in written]
    header = [f"# Imported from {source}, a configuration of {draft.tool}.", f"# Run:   ftrun recipe={name}"]
    header += [line for note in draft.notes for line in _comment(note)]
    for title, entries in (("To check", others), ("Left out", list(draft.of("left-out")))):
        if entries:
            header += [f"# {title}:", *(line for entry in entries for line in _comment(f"  {_describe(entry)}"))]
    return "\n".join([*header, *body]) + "\n"


def _describe(entry: Entry) -> str:
    place = f" (line {entry.line})" if entry.line else ""
    names = f"; did you mean {', '.join(entry.did_you_mean)}?" if entry.did_you_mean else ""
    return f"{entry.key}{place}: {entry.reason}{names}"


def _comment(text: str, indent: str = "") -> Iterator[str]:
    first = re.match(" *", text)
    more = " " * (len(first[0]) + 2 if first else 2)
    wrapped = textwrap.wrap(
        text, WIDTH - len(indent), subsequent_indent=more, break_long_words=False, break_on_hyphens=False
    )
    return (f"{indent}# {line}" for line in wrapped)


def _write_mapping(
    values: Mapping[Any, Any], path: tuple[str, ...], comments: Mapping[str, list[str]], written: set[str]
) -> Iterator[str]:
    indent = "  " * len(path)
    for key, value in values.items():
        inner = (*path, str(key))
        target = ".".join(inner)
        written.add(target)
        for text in comments.get(target, ()):
            yield from _comment(text, indent)
        has_comments = any(other.startswith(f"{target}.") for other in comments)
        name = _dump(key)
        if isinstance(value, dict) and value and (has_comments or len(_flow(value)) > FLOW_WIDTH or not path):
            yield f"{indent}{name}:"
            yield from _write_mapping(value, inner, comments, written)
        elif target == "defaults":
            yield "defaults:"
            yield from (f"  - {entry}" for entry in map(_write_choice, value))
        else:
            yield from (f"{indent}{line}" if line else "" for line in _write_value(name, value))


def _write_choice(entry: Any) -> str:
    (group, option), *_ = entry.items()
    return f"{group}: {_flow(option) if isinstance(option, list) else option}"


def _write_value(name: str, value: Any) -> list[str]:
    """Return the lines of a key and its value: on one line, as a block of text, or as a list."""
    if isinstance(value, list | dict):
        flow = _flow(value)
        if len(flow) <= FLOW_WIDTH:
            return [f"{name}: {flow}"]
        block = yaml.dump(
            value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10_000
        )
        return [f"{name}:", *(f"  {line}" if line else "" for line in block.splitlines())]
    text = yaml.dump({"x": value}, Dumper=_Dumper, allow_unicode=True, width=10_000).rstrip("\n")
    return f"{name}{text[1:]}".split("\n")


def _flow(value: Any) -> str:
    if isinstance(value, str) and "\n" in value:
        return "x" * (FLOW_WIDTH + 1)  # a block of text needs several lines
    if isinstance(value, dict) and any("\n" in str(item) for item in value.values()):
        return "x" * (FLOW_WIDTH + 1)
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def _dump(key: Any) -> str:
    text = yaml.dump(key, Dumper=_Dumper, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")
