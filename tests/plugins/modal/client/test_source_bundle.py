"""Code that is sent to Modal."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftrun_plugins.modal.client import source_bundle


@pytest.mark.parametrize(("name", "is_sent"), [("code.py", True), ("templates/page.html", True), ("rows.csv", False)])
def test_the_digest_covers_modules_and_templates(
    name: str, is_sent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sent" / "templates").mkdir(parents=True)
    (tmp_path / "sent" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(source_bundle, "packages", lambda: ("sent",))
    digests = []
    for text in ("1", "2"):
        (tmp_path / "sent" / name).write_text(text)
        source_bundle._file_digests.cache_clear()
        digests.append(source_bundle.code_digest())
    assert (digests[0] != digests[1]) == is_sent
    source_bundle._file_digests.cache_clear()


def test_templates_of_pages_are_sent() -> None:
    names = {*source_bundle._file_digests("ftrun"), *source_bundle._file_digests("ftrun_plugins")}
    assert names >= {"report/templates/report.html", "report/templates/style.css", "preview/templates/preview.html"}
