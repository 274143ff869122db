"""A damaged file of one run or artifact never ends a command in an internal error, and other runs keep working."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from ftrun.api.errors import InvalidInput
from ftrun.api.paths import RunFolder, Store
from ftrun.api.stage_call import Ref
from ftrun.cli.main import run_command
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded, load
from ftrun.store import runs
from ftrun.store.run_plan import read_plan
from helpers.ended_runs import call, ended_run, result
from helpers.workplace import run_here

SEED = 17
Tries = tuple[int, int, int]  # truncations, random contents and wrong values per file
FEW: Tries = (1, 1, 4)
MANY: Tries = (2, 1, 5)
COMPOSE = ("rerun", "plan", "serve")  # verbs that compose a recipe, which takes time
WRONG_VALUES: tuple[Any, ...] = (None, True, -1, 1e300, "", "\0/../..", [], {}, [[1]], {"a": {"b": 1}}, 10**400)


def make_store(folder: Path, environment: dict[str, str]) -> Store:
    """A store with a real run of the stage `format`, and two ended runs with results of all kinds."""
    store = Store(folder / "store")
    code, out, err = run_here(["recipe=quickstart", "stages=[format]"], folder, environment)
    assert code == 0, f"{out}\n{err}"
    recipe = load(["recipe=quickstart", "stages=[format]"], plugins()).recipe
    score = call("score:em", {}, evaluator="exact_match")
    for number in range(2):
        train = call("train", number=number)
        calls = (call("format", number=number), train, call("evaluate", {"tuned": train.ref}), score)
        ended_run(
            store,
            recipe.model_copy(update={"name": "ended"}),
            calls,
            files={
                "evaluate/samples.jsonl": [
                    {
                        "evaluation": "em",
                        "place": "a:1",
                        "reference": "x",
                        "base": {"score": 0.0, "answer": "y"},
                        "tuned": {"score": 1.0, "answer": "x"},
                    }
                ],
                "format/report.json": {"kind": "chat", "train": 5, "held_out": 2, "rejected": 1, "notes": ["a note"]},
                "train/history.json": [{"step": 1, "loss": 2.5}],
                "score:em/scores.jsonl": [{"index": 0, "place": "a:1", "tuned": {"score": 1.0}}],
                "score:em/score.json": {"higher_is_better": True},
            },
            metrics={
                "evaluate": {
                    "evaluation": {
                        "em": result(
                            0.1,
                            0.5,
                            (0.2, 0.6),
                            "better",
                            gate=[{"rule": "min", "limit": 0.1, "value": 0.5, "met": True}],
                        )
                    }
                },
                "train": {"last_loss": 2.5, "notes": ["a note"]},
                "format": {"train": 5, "held_out": 2},
            },
            events=[
                ("run_started", None, {"calls": ["format", "train"]}),
                ("call_started", "train", {"key": "k"}),
                ("progress", "train", {"step": 1, "total": 2, "unit": "steps", "rate": 1.0, "loss": 2.5}),
                ("warning", "train", {"text": "careful"}),
                ("note", "train", {"text": "noted"}),
                ("call_finished", "train", {"key": "k"}),
            ],
            record={
                "problems": ({"code": "x", "what": "boom", "did_you_mean": ["a"]},),
                "cost": 1.5,
                "exit_code": 0,
                "facts": {"ftrun": "0.1.0", "versions": {"pydantic": "2"}, "environments": {"client": ""}},
            },
        )
    return store


def commands(run: str, other: str) -> list[list[str]]:
    """Commands that read the damaged run, then commands that must work without it."""
    return [
        ["show", run],
        ["show", run, "--json"],
        ["logs", run],
        ["logs", "-f", run],
        ["report", run],
        ["files", run],
        ["compare", other, run],
        ["diff", run, other],
        ["rerun", "--plan", run],
        ["cancel", run],
        ["serve", "--port", "0", run],
        ["rm", "--artifacts", run],  # asks, and stops because there is no terminal
        ["rm", "--unused"],
        ["plan", "--no-check", "recipe=quickstart", "stages=[format]"],
    ]


def unaffected(other: str) -> list[list[str]]:
    return [["runs"], ["runs", "--json"], ["show", other], ["logs", "-f", other], ["report", other]]


def damage(path: Path, dice: random.Random, tries: Tries) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield ways to damage a file."""
    truncations, noises, wrong_keys = tries
    content = path.read_bytes()
    places = sorted({dice.randrange(len(content)) for _ in range(truncations)}) if content else []
    for size in places:
        yield f"cut at {size}", lambda size=size: path.write_bytes(content[:size])
    yield "emptied", lambda: path.write_bytes(b"")
    for _ in range(noises):
        noise = dice.randbytes(len(content) or 10)
        yield "noise", lambda noise=noise: path.write_bytes(noise)
    yield "a folder", lambda: (path.unlink(), path.mkdir())
    yield "missing", path.unlink
    values = parse(path, content)
    paths = list(key_paths(values))
    for key in dice.sample(paths, min(wrong_keys, len(paths))):
        wrong = dice.choice(WRONG_VALUES)
        changed = write(path, replaced(values, key, wrong))
        yield f"{'.'.join(map(str, key))} = {str(wrong)[:20]}", lambda changed=changed: path.write_bytes(changed)
    if isinstance(values, dict):
        newer = write(path, {**values, "schema_version": 99})
        yield "newer", lambda: path.write_bytes(newer)


def parse(path: Path, content: bytes) -> Any:
    if path.suffix == ".json":
        return json.loads(content)
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in content.splitlines()]
    return yaml.safe_load(content) if path.suffix == ".yaml" else None


def write(path: Path, values: Any) -> bytes:
    if path.suffix == ".jsonl":
        lines = values if isinstance(values, list) else [values]
        return "".join(json.dumps(line) + "\n" for line in lines).encode()
    return json.dumps(values).encode()  # which is YAML too


def key_paths(values: Any, parent: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    pairs: Sequence[tuple[Any, Any]] = ()
    if isinstance(values, dict):
        pairs = list(values.items())
    elif isinstance(values, list):
        pairs = list(enumerate(values[:5]))
    for key, value in pairs:
        yield (*parent, key)
        yield from key_paths(value, (*parent, key))


def replaced(values: Any, key: tuple[str | int, ...], value: Any) -> Any:
    if not key:
        return value
    copy = values.copy()
    copy[key[0]] = replaced(values[key[0]], key[1:], value)
    return copy


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("whole")
    environment = {**os.environ, "FTRUN_STORE": str(folder / "store"), "NO_COLOR": "1"}
    make_store(folder, environment)
    return folder, environment


def restore(folder: Path, copy: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)


RUN_FILES = ("run.json", "plan.json", "recipe.yaml", "events.jsonl", "scheduler.json", "report.html", "scheduler.lock")


NAMES = [*RUN_FILES, "log", "manifest", "artifact"]


@pytest.mark.parametrize("name", NAMES)
def test_no_damage_is_an_internal_error(name: str, whole: tuple[Path, dict[str, str]]) -> None:
    assert not list(find_failures(name, "ended", whole, FEW, COMPOSE))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NAMES)
def test_no_damage_is_an_internal_error_of_any_command(name: str, whole: tuple[Path, dict[str, str]]) -> None:
    assert not list(find_failures(name, "quickstart", whole, MANY))


def find_failures(
    name: str, recipe: str, whole: tuple[Path, dict[str, str]], tries: Tries, without: Sequence[str] = ()
) -> Iterator[str]:
    """Damage a file of a run, and yield each command that ends in an internal error or fails for another run."""
    folder, environment = whole
    store = Store(folder / "store")
    records = [record for record in runs.all_runs(store) if record.recipe in (recipe, "ended")]
    run, other = sorted(records, key=lambda record: record.recipe != recipe)[:2]
    results = [Ref.parse(values["artifact"]) for values in run.results.values()]
    paths = {
        "log": [*(store.run(run.id).root / "logs").glob("*.log")],
        "manifest": [store.artifact(ref) / "manifest.json" for ref in results],
        "artifact": [path for ref in results for path in store.artifact(ref).glob("[!m]*.json*")],
    }.get(name, [store.run(run.id).root / name])
    shutil.copytree(store.root, folder / "copy")
    dice = random.Random(f"{SEED}{name}{recipe}")
    files = [path for path in paths if path.is_file()]
    try:
        for path in dice.sample(files, 1) if tries == FEW and files else files:
            for what, apply in damage(path, dice, tries):
                apply()
                for arguments in [*commands(run.id, other.id), *unaffected(other.id)]:
                    if arguments[0] in without:
                        continue
                    code, _, err = run_here(arguments, folder, environment)
                    must_work = arguments in unaffected(other.id)
                    if code not in (0, 1, 2, 3) or "internal error" in err or (must_work and code):
                        yield f"{path.name} {what}: ftrun {' '.join(arguments)}: {code}\n{err}"
                restore(store.root, folder / "copy")
    finally:
        restore(store.root, folder / "copy")
        shutil.rmtree(folder / "copy")


def problems_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    """Run a command with `--json`; return its exit code and the codes of its problems."""
    code = run_command([*arguments, "--json"])
    values = json.loads(capsys.readouterr().out)
    return code, [problem["code"] for problem in values["problems"]]


@pytest.fixture
def two_runs(store: Store, loading: Callable[..., Loaded]) -> list[RunFolder]:
    return [ended_run(store, loading().recipe, [call("format", number=number)]) for number in range(2)]


def test_a_record_that_cannot_be_read_is_listed_as_such(
    two_runs: list[RunFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    two_runs[1].record.write_text("{")
    assert run_command(["runs", "--json"]) == 0
    statuses = {run["id"]: run["status"] for run in json.loads(capsys.readouterr().out)}
    assert statuses == {two_runs[0].id: "done", two_runs[1].id: "unreadable"}
    assert run_command(["show", "last"]) == 0
    assert two_runs[0].id in capsys.readouterr().out
    assert problems_of(capsys, "show", two_runs[1].id) == (2, ["damaged-record"])


def test_a_record_of_a_newer_version_is_left_alone(
    two_runs: list[RunFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    record = two_runs[0].record
    record.write_text(json.dumps({**json.loads(record.read_text()), "schema_version": 99}))
    assert problems_of(capsys, "show", two_runs[0].id) == (2, ["newer-record"])
    assert problems_of(capsys, "resume", two_runs[0].id) == (2, ["newer-record"])
    assert json.loads(record.read_text())["schema_version"] == 99


def test_a_record_keeps_the_keys_that_this_version_does_not_know(two_runs: list[RunFolder]) -> None:
    folder = two_runs[0]
    values = json.loads(folder.record.read_text())
    values["mood"], values["results"]["format"]["mood"], values["facts"]["mood"] = "good", "better", "best"
    folder.record.write_text(json.dumps(values))
    runs.save(folder, runs.load(folder))
    assert json.loads(folder.record.read_text()) == values


def test_a_record_in_the_folder_of_another_run_is_refused(two_runs: list[RunFolder]) -> None:
    shutil.copy(two_runs[0].record, two_runs[1].record)
    with pytest.raises(InvalidInput) as refused:
        runs.load(two_runs[1])
    assert refused.value.problems[0].code == "damaged-record"


@pytest.mark.parametrize("name", ["run.json", "plan.json", "recipe.yaml"])
def test_a_run_with_a_missing_file_can_be_removed(name: str, two_runs: list[RunFolder]) -> None:
    (two_runs[0].root / name).unlink()
    assert run_command(["rm", "--yes", two_runs[0].id]) == 0
    assert not two_runs[0].root.exists()
    assert two_runs[1].record.exists()


def test_the_artifacts_of_a_run_with_an_unreadable_record_count_as_used(
    store: Store, two_runs: list[RunFolder]
) -> None:
    kept = store.artifact(read_plan(two_runs[0]).calls[0].ref)
    kept.mkdir(parents=True)
    two_runs[0].record.write_text("")
    assert run_command(["rm", "--unused", "--yes"]) == 0
    assert kept.exists()


def test_a_run_without_a_plan_is_shown_and_resumed(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["recipe=quickstart", "stages=[format]", "--json"]) == 0
    run = json.loads(capsys.readouterr().out)["id"]
    folder = store.run(run)
    before = read_plan(folder)
    folder.plan.unlink()
    assert run_command(["show", run]) == 0
    assert "format " in capsys.readouterr().out
    assert run_command(["plan", "--no-check", "recipe=quickstart", "stages=[format]"]) == 0
    assert run_command(["resume", run]) == 0
    assert read_plan(folder) == before


@pytest.mark.parametrize("verb", ["show", "logs", "rm", "resume", "report", "files", "cancel", "serve", "rerun"])
def test_the_empty_string_names_no_run(
    verb: str, two_runs: list[RunFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([verb, *(["--yes"] if verb == "rm" else []), ""]) == 2
    assert "[usage]" in capsys.readouterr().err
    assert all(folder.record.exists() for folder in two_runs)


@pytest.mark.parametrize("verb", ["compare", "diff"])
def test_the_empty_string_names_no_run_to_compare(
    verb: str, two_runs: list[RunFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([verb, two_runs[0].id, ""]) == 2
    assert "[usage]" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["logs", "files", "pull"])
def test_the_empty_string_names_no_call(
    verb: str, two_runs: list[RunFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    two_runs[0].log("format").write_text("a line\n")
    assert run_command([verb, two_runs[0].id, ""]) == 2
    assert "[missing-result]" in capsys.readouterr().err
