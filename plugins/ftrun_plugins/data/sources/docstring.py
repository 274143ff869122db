"""Parser of docstrings in Google's or NumPy's format: text, arguments and examples."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

ARGUMENTS = frozenset({"args", "arguments", "parameters"})
EXAMPLES = frozenset({"example", "examples", "usage"})
# "Args:", "**Examples:**", or a bare "Parameters" over a line of dashes.
HEADER = re.compile(r"^\*{0,2}([A-Z][a-z]+(?: [A-Za-z][a-z]+)?)([:*]{0,4})\s*$")
UNDERLINE = re.compile(r"^-{3,}\s*$")
# End of a sentence. No sentence begins after the abbreviations.
SENTENCE = re.compile(r"(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)(?<=[.!?])\s+(?=[A-Z`*\[])")
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
ANCHOR = re.compile(r"\[([^\]]+)\]\(#[^)]*\)")
FENCE = re.compile(r"^([ ]*```[ ]*\w+)[ ].*$", re.M)
CODE = re.compile(r"^([ ]*)```.*?^\1```[ ]*$", re.S | re.M)


@dataclass(frozen=True)
class Docstring:
    """Parts of one docstring. Missing parts are empty."""

    text: str  # everything but the arguments and the examples
    arguments: str  # one bullet each
    examples: str

    @property
    def summary(self) -> str:
        """First paragraph."""
        return self.text.partition("\n\n")[0].strip()

    @property
    def sentence(self) -> str:
        """First sentence on one line, without links and without its full stop."""
        return LINK.sub(r"\1", SENTENCE.split(" ".join(self.summary.split()))[0]).rstrip(".")


def split(doc: str) -> Docstring:
    """Split the output of `inspect.cleandoc` into the parts of the docstring."""
    sections = _parse_sections(_clean(doc))
    text = [section.text_with_heading for section in sections if section.title not in ARGUMENTS | EXAMPLES]
    arguments = [_format_bullets(section.text) for section in sections if section.title in ARGUMENTS]
    examples = [section.text for section in sections if section.title in EXAMPLES]
    if not any(CODE.search(example) or ">>>" in example for example in examples):
        # Examples may also be in the text, and prose without code is not an example.
        text, examples = [*text, *examples], [match[0] for match in CODE.finditer("\n\n".join(text))]
    return Docstring(
        text="\n\n".join(filter(None, text)),
        arguments="\n".join(arguments),
        examples=textwrap.dedent("\n\n".join(examples)).strip("\n"),
    )


def shorten(text: str, limit: int) -> str:
    """Return the first paragraphs that fit into `limit` characters, at least one.

    Drops paragraphs at the end that leave a code block unclosed.
    """
    if len(text) <= limit:
        return text
    paragraphs: list[str] = []
    for paragraph in text.split("\n\n"):
        if paragraphs and len("\n\n".join([*paragraphs, paragraph])) > limit:
            break
        paragraphs.append(paragraph)
    while "\n\n".join(paragraphs).count("```") % 2:
        paragraphs.pop()
    return "\n\n".join(paragraphs)


def _clean(doc: str) -> str:
    """Remove links inside a page and options of code blocks, which only the site of the package understands."""
    return FENCE.sub(r"\1", ANCHOR.sub(r"\1", doc))


@dataclass
class _Section:
    title: str = ""  # in lower case; empty if there is no heading
    heading: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.body).strip("\n")

    @property
    def text_with_heading(self) -> str:
        return "\n".join(filter(None, [*self.heading, self.text]))

    @property
    def is_indented(self) -> bool:
        return bool(self.text) and all(line.startswith(" ") for line in self.body if line)


def _parse_sections(doc: str) -> list[_Section]:
    sections = [_Section()]
    lines = doc.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        current = sections[-1]
        header = HEADER.match(line)
        if header and (header[2] or UNDERLINE.match(following)):
            sections.append(_Section(header[1].lower(), [line]))
        elif current.heading and not current.body and UNDERLINE.match(line):
            current.heading.append(line)
        elif line[:1].strip() and current.heading and current.is_indented:
            sections.append(_Section(body=[line]))  # sections in Google's format end with their indentation
        else:
            current.body.append(line)
    return sections


def _format_bullets(body: str) -> str:
    """Return one bullet per argument, with its description."""
    lines = textwrap.dedent(body).splitlines()
    return "\n".join(f"- {line}" if line[:1].strip() else f"  {line.strip()}" for line in lines if line.strip())
