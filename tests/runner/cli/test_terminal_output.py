"""No text from outside reaches a terminal with characters that control it, whichever verb prints it."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.progress import Progress

from ftrun.api.errors import Problem
from ftrun.api.paths import Store
from ftrun.cli.commands import builtin_commands
from ftrun.cli.main import run_command
from ftrun.recipe.load import Loaded
from ftrun.utils.terminal import escaped_output, make_console
from helpers.ended_runs import call, ended_run

EVIL = "\x1b]52;c;aGk=\x07\x1b[31m\x1b[2J\rover\x9b2J\x7f\u202etxt\u2066\x08"
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
ROOT = Path(__file__).parents[3]
# They write to pipes that another process of ftrun reads, or run in a stage.
PIPES = ("api/context.py", "modal/container/remote_scheduler.py", "modal/container/stage_container.py")
ALLOWED = ("ftrun/utils/terminal.py", *PIPES)


def assert_clean(capfd: pytest.CaptureFixture[str]) -> str:
    captured = capfd.readouterr()
    shown = captured.out + captured.err
    assert not CONTROL.findall(shown), repr(shown)
    return shown


@pytest.fixture
def evil_run(store: Store, loading: Callable[..., Loaded]) -> str:
    """A run whose names, events, logs, results and errors are hostile."""
    calls = [call("format"), call("train")]
    folder = ended_run(
        store,
        loading().recipe,
        calls,
        files={"format/report.json": {EVIL: EVIL}, f"train/{EVIL[1:4]}.json": {}},
        metrics={"train": {"notes": [EVIL], EVIL: 1.0}},
        events=[
            ("warning", "format", {"text": f"column {EVIL}"}),
            ("note", "format", {"text": EVIL}),
            ("environment", "train", {"text": EVIL}),
            ("tracker", "train", {"url": EVIL}),
        ],
        overrides=("recipe=mine", f"train.x={EVIL}"),
        record={"status": "failed", "problems": (Problem(EVIL, EVIL, EVIL, EVIL, (EVIL,), EVIL).as_dict(),)},
    )
    (folder.root / "logs").mkdir(exist_ok=True)
    (folder.root / "logs" / "train.log").write_text(f"\x1b[32m{EVIL}\x1b[0m\n 10%|#\r 20%|##\n")
    return folder.id


@pytest.mark.parametrize("verb", sorted(builtin_commands()))
def test_no_verb_prints_control_characters_of_its_arguments(
    verb: str, evil_run: str, capfd: pytest.CaptureFixture[str]
) -> None:
    run_command([verb, EVIL])
    run_command([verb, f"--{EVIL}"])
    assert assert_clean(capfd)


@pytest.mark.parametrize(
    "arguments",
    [
        ("show",), ("logs",), ("logs", "-f"), ("logs", "RUN", "train"), ("runs",), ("files",), ("plan",), ("rerun",),
        ("resume",), ("report",), ("pull", "RUN", "--to", "x"), ("compare", "RUN", "RUN"), ("diff", "RUN", "RUN"),
        ("rm", "RUN"), ("verify",), ("chat",), ("cancel",), ("show", "--json"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_verb_prints_control_characters_of_a_run(
    arguments: tuple[str, ...], evil_run: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    run_command([evil_run if argument == "RUN" else argument for argument in arguments])
    assert assert_clean(capfd)


def test_the_hostile_texts_are_printed_with_escapes(evil_run: str, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in (["show"], ["logs"], ["logs", "-f"]):
        run_command(arguments)
        assert r"\x1b]52;c;aGk=" in assert_clean(capfd), arguments


@pytest.mark.parametrize("arguments", [("validate",), ("plan",), ("run",), ("schema", "--key"), ("recipes", "show")])
def test_no_verb_prints_control_characters_of_a_recipe(
    arguments: tuple[str, ...], folder: Path, store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    text = 'defaults: [quickstart]\ntrain:\n  "\\e]52;c;aGk=\\a\\u202e": "\\e[2J"\n'
    (folder / "evil.yaml").write_text(text)
    run_command([*arguments, "recipe=evil.yaml", f"train.y='{EVIL}'"])
    assert assert_clean(capfd)


def test_a_console_keeps_its_own_colours_on_a_terminal() -> None:
    stream = io.StringIO()
    console = make_console(stream, force_terminal=True, color_system="standard", width=80)
    console.print(f"[red]a{EVIL}", markup=True)
    with Progress(console=console, redirect_stdout=False, redirect_stderr=False) as bars:
        bars.add_task(EVIL)
    text = stream.getvalue()
    assert text.startswith("\x1b[31ma")
    assert "\x1b]52" not in text
    assert "\x9b" not in text


def test_the_streams_are_restored(capfd: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr
    with escaped_output():
        print(f"a{EVIL}\tb")
        sys.stderr.writelines([EVIL, "\n"])
    assert (sys.stdout, sys.stderr) == before
    assert "\tb\n" in assert_clean(capfd)


def test_no_module_writes_past_the_streams() -> None:
    """rich and `os.write` would: a console is made by `make_console`, and bytes are only for pipes."""
    past = re.compile(r"\bConsole\(|(stdout|stderr)\.buffer|os\.write\((1|2|sys)|/dev/tty|sys\.__std")
    files = [*(ROOT / "runner" / "ftrun").rglob("*.py"), *(ROOT / "plugins" / "ftrun_plugins").rglob("*.py")]
    found = [file.relative_to(ROOT).as_posix() for file in files if past.search(file.read_text())]
    assert [name for name in found if not name.endswith(ALLOWED)] == []
