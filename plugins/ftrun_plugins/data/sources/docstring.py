"""What a docstring is made of: the text, the arguments and the examples, in Google's or NumPy's layout."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

ARGUMENTS = frozenset({"args", "arguments", "parameters"})
EXAMPLES = frozenset({"example", "examples", "usage"})
# "Args:", "**Examples:**", or a bare "Parameters" over a line of dashes.
HEADER = re.compile(r"^\*{0,2}([A-Z][a-z]+(?: [A-Za-z][a-z]+)?)([:*]{0,4})\s*$")
UNDERLINE = re.compile(r"^-{3,}\s*$")
# Stops after which no sentence begins.
SENTENCE = re.compile(r"(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)(?<=[.!?])\s+(?=[A-Z`*\[])")
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
ANCHOR = re.compile(r"\[([^\]]+)\]\(#[^)]*\)")
FENCE = re.compile(r"^([ ]*```[ ]*\w+)[ ].*$", re.M)
CODE = re.compile(r"^([ ]*)```.*?^\1```[ ]*$", re.S | re.M)


@dataclass(frozen=True)
class Docstring:
    """The parts of one docstring; a part that it lacks is empty."""

    text: str  # everything but the arguments and the examples
    arguments: str  # one bullet each
    examples: str

    @property
    def summary(self) -> str:
        """The first paragraph."""
        return self.text.partition("\n\n")[0].strip()

    @property
    def sentence(self) -> str:
        """The first sentence, on one line, without links and its full stop."""
        return LINK.sub(r"\1", SENTENCE.split(" ".join(self.summary.split()))[0]).rstrip(".")


def split(doc: str) -> Docstring:
    """Take a docstring, as `inspect.cleandoc` leaves it, into its parts."""
    sections = _sections(_readable(doc))
    text = [section.whole for section in sections if section.title not in ARGUMENTS | EXAMPLES]
    arguments = [_bullets(section.text) for section in sections if section.title in ARGUMENTS]
    examples = [section.text for section in sections if section.title in EXAMPLES]
    if not any(CODE.search(example) or ">>>" in example for example in examples):
        # An example may stand in the running text just as well, and prose alone is none.
        text, examples = [*text, *examples], [match[0] for match in CODE.finditer("\n\n".join(text))]
    return Docstring(
        text="\n\n".join(filter(None, text)),
        arguments="\n".join(arguments),
        examples=textwrap.dedent("\n\n".join(examples)).strip("\n"),
    )


def shorten(text: str, limit: int) -> str:
    """The paragraphs that fit into `limit` characters, the first one at any rate; none that leaves code unclosed."""
    if len(text) <= limit:
        return text
    kept: list[str] = []
    for paragraph in text.split("\n\n"):
        if kept and len("\n\n".join([*kept, paragraph])) > limit:
            break
        kept.append(paragraph)
    while "\n\n".join(kept).count("```") % 2:
        kept.pop()
    return "\n\n".join(kept)


def _readable(doc: str) -> str:
    """Without what only the package's own site understands: links inside a page, and marks of its code checker."""
    return FENCE.sub(r"\1", ANCHOR.sub(r"\1", doc))


@dataclass
class _Section:
    title: str = ""  # in lower case; empty where no heading stands
    heading: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.body).strip("\n")

    @property
    def whole(self) -> str:
        return "\n".join(filter(None, [*self.heading, self.text]))

    @property
    def is_indented(self) -> bool:
        return bool(self.text) and all(line.startswith(" ") for line in self.body if line)


def _sections(doc: str) -> list[_Section]:
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
            sections.append(_Section(body=[line]))  # Google's sections end where the indentation does
        else:
            current.body.append(line)
    return sections


def _bullets(body: str) -> str:
    """One bullet for each argument, its description with it."""
    lines = textwrap.dedent(body).splitlines()
    return "\n".join(f"- {line}" if line[:1].strip() else f"  {line.strip()}" for line in lines if line.strip())
