"""The source `python_docs`: questions and answers about an installed package, from its signatures and docstrings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pydantic import BaseModel, Field

from ftrun_plugins.data.sources import docstring
from ftrun_plugins.data.sources.docstring import Docstring
from ftrun_plugins.data.sources.python_api import Documented, documented
from ftrun_plugins.data.sources.python_package import Package

MIN_DESCRIPTION = 25  # characters; a shorter sentence fits too many names to ask which one it is


class PythonDocs:
    """Rows that ask about each public name of a package by several wordings, answered in the package's own words."""

    name = "python_docs"

    class Options(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
        """What to read, and how much to make of it."""

        package: str
        """Name of an installed package."""
        min_characters: int = Field(default=60, ge=1)
        """Minimum length of a docstring in characters. Shorter docstrings make no rows."""
        max_characters: int = Field(default=4000, ge=1)
        """Maximum length in characters of the text, arguments and examples. Longer parts are shortened."""
        wordings: int = Field(default=3, ge=1, le=5)
        """Maximum number of questions per docstring."""
        skip: tuple[str, ...] = ()
        """Dotted names to leave out, with everything below them."""

    def files(self, options: Options) -> list[Path]:
        """Every file that the rows may depend on, sorted."""
        return Package(options.package).files

    def rows(self, options: Options, root: Path | None = None) -> Iterator[tuple[dict[str, object], str, int]]:
        """Each row, with the file (in the package) and line of the docstring behind it.

        Args:
            options: What to read.
            root: Where the package is, if it is not the one that is installed here.

        Raises:
            ValueError: The package is not installed, or has no docstring to go by.
        """
        items = [
            item for item in documented(options.package, options.min_characters, root) if not _is_skipped(item, options)
        ]
        docs = [docstring.split(item.doc) for item in items]
        described = Counter(doc.sentence for doc in docs)
        groups: dict[str, str] = {}
        for item, doc in zip(items, docs, strict=True):
            # Names that share a docstring share a group, or the same text could be trained on and held out.
            group = groups.setdefault(item.doc, item.name)
            is_telling = described[doc.sentence] == 1 and _is_description(doc.sentence)
            pairs = _pairs(item, doc, options, is_telling=is_telling)
            for question, answer in islice(pairs, options.wordings):
                messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
                yield {"messages": messages, "group": group}, item.file, item.line


def _is_skipped(item: Documented, options: PythonDocs.Options) -> bool:
    return any(f"{item.name}.".startswith(f"{name}.") for name in options.skip)


def _is_description(sentence: str) -> bool:
    # What begins with other marks is a notice, such as a quotation or an admonition.
    return len(sentence) >= MIN_DESCRIPTION and sentence.lstrip("`")[:1].isalnum()


def _pairs(
    item: Documented, doc: Docstring, options: PythonDocs.Options, *, is_telling: bool
) -> Iterator[tuple[str, str]]:
    """The wordings that the docstring has an answer for, those that only rich ones have before the rest."""
    name = f"`{item.name}`"
    signature = f"```python\n{item.signature}\n```"
    text, arguments, examples = (
        docstring.shorten(part, options.max_characters) for part in (doc.text, doc.arguments, doc.examples)
    )
    if text:
        verb = "does" if item.kind in ("function", "method") else "is"
        yield f"What {verb} {name}{' do' if verb == 'does' else ''}?", f"{signature}\n\n{text}"
    if arguments:
        yield f"Which arguments does {name} take, and what do they mean?", f"{signature}\n\n{arguments}"
    if examples:
        yield f"Show me an example of {name}.", examples
    if is_telling:
        question = f'Which {item.kind} in `{options.package}` fits the description "{doc.sentence}"?'
        yield question, f"That is {name}:\n\n{signature}\n\n{doc.summary}"
    if doc.summary and (question := _use(item)):
        yield question, f"{signature}\n\n{doc.summary}"


def _use(item: Documented) -> str:
    """How one asks for no more than the signature; nothing where it says no more than the name."""
    name = f"`{item.name}`"
    match item.kind:
        case "function" | "method":
            return f"How do I call {name}?"
        case "module":
            return f"How do I import {name}?"
        case "property":
            return f"What type does {name} have?" if ": " in item.signature else ""
        case "class":
            return f"What does the constructor of {name} take?" if "(" in item.signature else ""
