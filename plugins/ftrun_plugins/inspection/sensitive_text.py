"""Search for secrets and personal data in rows. The patterns are few and strict: a match is worth a look.

Found values are masked, because a terminal or a log may be read by others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

SHOWN = 3  # characters of a value that are not masked
MOST_PLACES = 3

PATTERNS: dict[str, re.Pattern[str]] = {
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "key of OpenAI or a similar service": re.compile(r"\bsk-[\w-]{20,}"),
    "token of the Hugging Face Hub": re.compile(r"\bhf_[A-Za-z0-9]{20,}"),
    "token of GitHub": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})"),
    "access key of AWS": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "key of Google": re.compile(r"\bAIza[\w-]{35}"),
    "token of Slack": re.compile(r"\bxox[abprs]-[\w-]{10,}"),
    "JSON Web Token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    "password in a URL": re.compile(r"\b[a-z][a-z+]{1,15}://[^\s:/@]{1,64}:[^\s:/@]{3,64}@[\w.-]+"),
    "e-mail address": re.compile(r"\b[\w.%+-]{1,64}@(?!example\.)[\w-]{1,63}(?:\.[\w-]{1,63})*\.[A-Za-z]{2,24}\b"),
    "phone number": re.compile(r"(?<![\w.])\+\d{1,3}[ -]?(?:\(\d{1,4}\)[ -]?)?\d{2,4}(?:[ -]?\d{2,4}){1,4}(?!\w)"),
    "credit card number": re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])"),
    "IBAN": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    "US social security number": re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"),
}


@dataclass
class Finding:
    """Rows with one kind of value: their number, the first places, and the first value, masked."""

    kind: str
    example: str
    rows: int = 0
    places: list[str] = field(default_factory=list)


class SensitiveText:
    """Collector of findings. Memory use is constant."""

    def __init__(self) -> None:
        self._findings: dict[str, Finding] = {}

    @property
    def findings(self) -> list[Finding]:
        """Findings in the order of the patterns."""
        return [self._findings[kind] for kind in PATTERNS if kind in self._findings]

    def add(self, text: str, place: str) -> None:
        """Search the text of one row."""
        for kind, value in find_values(text):
            finding = self._findings.setdefault(kind, Finding(kind, mask(value)))
            finding.rows += 1
            if len(finding.places) < MOST_PLACES:
                finding.places.append(place)


def find_values(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kinds of values in a text, each with its first value."""
    for kind, pattern in PATTERNS.items():
        for match in pattern.finditer(text):
            if _is_valid(kind, match[0]):
                yield kind, match[0]
                break


def mask(value: str) -> str:
    """Return the first characters of a value and its length."""
    return f"{value[:SHOWN]}… ({len(value)} characters)"


def _is_valid(kind: str, value: str) -> bool:
    """Return False if the check digits of a number are wrong."""
    if kind == "credit card number":
        digits = [int(digit) for digit in value if digit.isdigit()][::-1]
        doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
        return len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0
    if kind == "IBAN":
        compact = value.replace(" ", "")
        return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1
    return True
