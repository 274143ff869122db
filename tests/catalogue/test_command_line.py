"""A few of the catalogue's inputs by the command line itself, with little memory: one screen, exit code 2."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path

import pytest

from helpers.catalogue.bad_files import BOMB
from helpers.workplace import FTRUN

MEMORY = 1_500_000_000  # bytes of addresses, for the command and for each process that it starts
LONGEST_SCREEN = 60  # lines
RECIPE = """\
defaults:
  - override /model: smollm2_135m_instruct
  - override /dataset: jsonl_chat
  - override /optimizations: [lora]
dataset:
  source: {path: data.jsonl}
  formatter: {name: auto}
train: {sequence_len: 512, micro_batch_size: 2, gradient_accumulation_steps: 1, num_epochs: 1, learning_rate: 1e-3}
stages: [format]
"""
TEXT = json.dumps({"text": "fine"}).encode() + b"\n"
GIVEN = {
    "10,000 objects deep": (
        TEXT + b'{"text": ' * 10_000 + b"1" + b"}" * 10_000,
        "data.jsonl:2",
        "nested more than 100",
    ),
    "a terminal's escapes in a name": (TEXT + b'{"\\u001b[2Jtxt": "a"}', "data.jsonl:2", "`\\x1b[2Jtxt`"),
    "rows of two shapes": (TEXT + b'{"instruction": "a", "output": "b"}', "data.jsonl:2", "2 different shapes"),
    "a gzip bomb": (BOMB, "data.jsonl", "300 times its size"),
}


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.mark.parametrize(("content", "where", "words"), GIVEN.values(), ids=GIVEN)
def test_the_command_says_where_and_why(content: bytes, where: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_bytes(content)
    (tmp_path / "mine.yaml").write_text(RECIPE)

    ended = subprocess.run(
        [str(FTRUN), "recipe=mine.yaml"],
        cwd=tmp_path,
        env={**os.environ, "FTRUN_STORE": str(tmp_path / "store"), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limited,
    )

    assert ended.returncode == 2, ended.stderr
    assert where in ended.stderr
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "\x1b" not in ended.stderr
    assert len(ended.stderr.splitlines()) < LONGEST_SCREEN
