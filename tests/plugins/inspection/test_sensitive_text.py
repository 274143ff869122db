"""Secrets and personal data in texts. The values are made up; those with check digits are from public examples."""

from __future__ import annotations

import pytest

from ftrun_plugins.inspection.sensitive_text import MOST_PLACES, PATTERNS, SensitiveText, find_values, mask

FOUND = {
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nabc",
    "key of OpenAI or a similar service": "use sk-" + "a1B2" * 8,
    "token of the Hugging Face Hub": "hf_" + "abcDEF12" * 4,
    "token of GitHub": "ghp_" + "a1B2c3" * 6,
    "access key of AWS": "AKIA" + "ABCDEFGH12345678",
    "key of Google": "AIza" + "a1B2c3d" * 5,
    "token of Slack": "xoxb-" + "123456789012-abc",
    "JSON Web Token": "eyJhbGciOiJI.eyJzdWIiOiIx.abcdefghij",
    "password in a URL": "postgres://admin:s3cret@db.local/x",
    "e-mail address": "Write to jane.doe@mail.org, please.",
    "phone number": "Call +44 20 7946 0958 today",
    "credit card number": "Visa 4111 1111 1111 1111.",
    "IBAN": "Pay to GB82 WEST 1234 5698 7654 32 now",
    "US social security number": "SSN: 123-45-6789",
}
NOT_FOUND = (
    "2024-01-02T03:04:05",
    "4111 1111 1111 1112",
    "0000 0000 0000 0000",
    "GB82 WEST 1234 5698 7654 33",
    "1 + 2 + 3 = 6",
    "user@example.com",
    "x = a @ b.T",
    "000-12-3456",
    "https://host/path:8080",
    "version 1.2.3.4-5678",
)


@pytest.mark.parametrize("kind", PATTERNS)
def test_each_kind_is_found(kind: str) -> None:
    assert kind in dict(find_values(FOUND[kind]))


@pytest.mark.parametrize("text", NOT_FOUND)
def test_texts_without_such_values(text: str) -> None:
    assert list(find_values(text)) == []


def test_values_are_masked_and_places_are_bounded() -> None:
    collector = SensitiveText()
    for line in range(10):
        collector.add("jane.doe@mail.org", f"a.jsonl:{line}")

    (finding,) = collector.findings
    assert (finding.rows, len(finding.places)) == (10, MOST_PLACES)
    assert "doe" not in finding.example
    assert mask("jane.doe@mail.org").startswith("jan…")
