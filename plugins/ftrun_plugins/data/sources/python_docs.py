"""Questions and answers about an installed package, from its signatures and docstrings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from ftrun_plugins.data.sources import docstring
from ftrun_plugins.data.sources.docstring import Docstring
from ftrun_plugins.data.sources.python_package import Package

if TYPE_CHECKING:
    from ftrun_plugins.data.sources.python_api import Documented

MIN_DESCRIPTION = 25  # characters; a shorter sentence fits too many names


class PythonDocs:
    """Questions in several wordings about each public name of a package, with answers from its documentation."""

    name = "python_docs"

    class Options(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
        """Package to read, and limits of the rows."""

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
        """Return all files that the rows may depend on, sorted."""
        return Package(options.package).files

    def rows(self, options: Options, root: Path | None = None) -> Iterator[tuple[dict[str, object], str, int]]:
        """Yield each row with the file (in the package) and the line of its docstring.

        Args:
            options: Package to read, and limits of the rows.
            root: Folder or file of the package, by default the installed one.

        Raises:
            ValueError: If the package is not installed, or has no docstring that is long enough.
        """
        from ftrun_plugins.data.sources.python_api import list_documented

        items = [
            item
            for item in list_documented(options.package, options.min_characters, root)
            if not _is_skipped(item, options)
        ]
        docs = [docstring.split(item.doc) for item in items]
        described = Counter(doc.sentence for doc in docs)
        groups: dict[str, str] = {}
        for item, doc in zip(items, docs, strict=True):
            # Names with the same docstring share a group; otherwise the same text could be trained on and held out.
            group = groups.setdefault(item.doc, item.name)
            is_distinctive = described[doc.sentence] == 1 and _is_description(doc.sentence)
            pairs = _make_pairs(item, doc, options, is_distinctive=is_distinctive)
            for question, answer in islice(pairs, options.wordings):
                messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
                yield {"messages": messages, "group": group}, item.file, item.line


def _is_skipped(item: Documented, options: PythonDocs.Options) -> bool:
    return any(f"{item.name}.".startswith(f"{name}.") for name in options.skip)


def _is_description(sentence: str) -> bool:
    # A sentence that begins with another mark is a notice, such as a quotation or an admonition.
    return len(sentence) >= MIN_DESCRIPTION and sentence.lstrip("`")[:1].isalnum()


def _make_pairs(
    item: Documented, doc: Docstring, options: PythonDocs.Options, *, is_distinctive: bool
) -> Iterator[tuple[str, str]]:
    """Yield the questions that the docstring answers. Questions that few docstrings answer come first."""
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
    if is_distinctive:
        question = f'Which {item.kind} in `{options.package}` fits the description "{doc.sentence}"?'
        yield question, f"That is {name}:\n\n{signature}\n\n{doc.summary}"
    if doc.summary and (question := _make_usage_question(item)):
        yield question, f"{signature}\n\n{doc.summary}"


def _make_usage_question(item: Documented) -> str:
    """Return a question about the signature, or an empty string if the signature has only the name."""
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
