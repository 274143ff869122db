"""Chat templates that never end, or take all memory, end the stage with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.workplace import PROJECT, SCRIPTS, in_trainer

pytestmark = pytest.mark.e2e

CHATML = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
GROW = "{% set x = messages[0].content | center(4000000000) %}"
TEMPLATES = {
    "loop": LOOP + CHATML,
    "memory": GROW + CHATML,
    "row": "{% if 'Ulm' in messages[0].content %}" + LOOP + "{% endif %}" + CHATML,
}
TOO_LONG = "the chat template does not end within 2 s"


def test_templates_are_bounded_in_time_and_memory(tiny: Path, tmp_path: Path) -> None:
    cases = []
    for name, text in TEMPLATES.items():
        (tmp_path / f"{name}.jinja").write_text(text)
        cases.append({"name": name, "file": str(tmp_path / f"{name}.jinja"), "trainer": {}})
    packages = [str(PROJECT / "runner"), str(PROJECT / "plugins")]
    values = {"packages": packages, "tokenizer": str(tiny), "work": str(tmp_path), "templates": cases, "seconds": 2}
    (tmp_path / "asked.json").write_text(json.dumps(values))
    output = in_trainer(SCRIPTS / "render_templates.py", [str(tmp_path / "asked.json")], seconds=100)
    found = {name: outcomes["turns"] for name, outcomes in json.loads(output.splitlines()[-1]).items()}
    assert found["loop"].startswith(f"refused: {TOO_LONG}")
    assert "memory" in found["memory"].lower()
    assert TOO_LONG in found["row"]
