"""What is wrong with a plugin is told with its distribution, and the others can be used without it."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ftrun import hookimpl
from ftrun.api.errors import InvalidInput, Problem
from ftrun.cli.main import run_command
from ftrun.plugins.inventory import list_distributions
from ftrun.plugins.manager import Plugins, load_all, plugins
from helpers.installed_package import write_package

Installing = Callable[..., Path]
HEAD = "from ftrun import hookimpl\n"
PART = """
class Part:
    name = "shout"
    class Options(__import__("ftrun.api.rows").api.rows.Options):
        pass
    def format(self, row, options):
        pass
"""
REGISTERS = "\n@hookimpl\ndef ftrun_register_formatters(register):\n    register({})\n"


@pytest.fixture
def installing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installing]:
    """Makes packages that look as if they were installed."""
    monkeypatch.delenv("FTRUN_DISABLE_PLUGINS", raising=False)
    monkeypatch.syspath_prepend(tmp_path / "site")
    plugins.cache_clear()

    def install(text: str = "", name: str = "ftrun-acme", **more: Any) -> Path:
        write_package(tmp_path / "site", name, {"plugin": text}, entry=name.partition("-")[2], **more)
        importlib.invalidate_caches()
        return tmp_path / "site" / name.replace("-", "_")

    yield install
    plugins.cache_clear()
    for module in [module for module in sys.modules if module.partition(".")[0] in ("ftrun_acme", "ftrun_other")]:
        del sys.modules[module]


def problems() -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as refused:
        plugins()
    return refused.value.problems


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        pytest.param("import no_such_module", "cannot be imported: ModuleNotFoundError", "plugin.py:1", id="import"),
        pytest.param("x = (", "cannot be imported: SyntaxError", "entry point `acme = ftrun_acme.plugin`", id="syntax"),
        pytest.param("import sys\n\nsys.exit(3)", "cannot be imported: SystemExit: 3", "plugin.py:3", id="exit"),
        pytest.param("raise RuntimeError('a\\nb')", "cannot be imported: RuntimeError: a", "plugin.py:1", id="raises"),
        pytest.param(
            HEAD + "@hookimpl\ndef ftrun_register_formaters(register): pass",
            "`ftrun_register_formaters`", "plugin.py:2", id="unknown hook",
        ),
        pytest.param(
            "def ftrun_register_formatters(register): pass", "`ftrun_register_formatters` without `@hookimpl`",
            "plugin.py:1", id="no mark",
        ),
        pytest.param(
            "def ftrun_register_formater(register): pass", "`ftrun_register_formater`", "plugin.py:1", id="neither"
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef ftrun_check_recipe(recipes): pass",
            "`ftrun_check_recipe` takes `recipes`", "plugin.py:2", id="signature",
        ),
        pytest.param(
            HEAD + "@hookimpl\ndef ftrun_register_formatters(register):\n    1 / 0",
            "failed in ftrun_register_formatters: ZeroDivisionError", "plugin.py:4", id="raises while registering",
        ),
        pytest.param(
            HEAD + REGISTERS.format("3"), "the formatter `3` of ftrun-acme 1.0 is int, not a class",
            "`ftrun_register_formatters` of ftrun_acme.plugin", id="no class",
        ),
        pytest.param(HEAD + "class Part: pass" + REGISTERS.format("Part"), "`Part` of ftrun-acme 1.0 has no `name`",
                     "ftrun_acme.plugin", id="no name"),
        pytest.param(HEAD + PART.replace("shout", "a b") + REGISTERS.format("Part"), "has the name 'a b'",
                     "ftrun_acme.plugin", id="bad name"),
        pytest.param(HEAD + PART.replace("def format", "def forma") + REGISTERS.format("Part"), "has no `format`",
                     "ftrun_acme.plugin", id="no method"),
        pytest.param(HEAD + PART.replace('__import__("ftrun.api.rows").api.rows.Options', "object")
                     + REGISTERS.format("Part"), "subclass of ftrun.api.rows.Options", "ftrun_acme.plugin",
                     id="options"),
        pytest.param(HEAD + PART.replace("shout", "chat") + REGISTERS.format("Part"),
                     "two packages register the formatter `chat`: ftrun and ftrun-acme 1.0", None, id="taken"),
    ],
)  # fmt: skip
def test_a_faulty_plugin_is_named(text: str, what: str, where: str | None, installing: Installing) -> None:
    installing(text)
    (problem,) = problems()
    assert what in problem.what
    assert "ftrun-acme 1.0" in problem.what
    assert "\n" not in problem.what
    assert where is None or where in str(problem.at)
    assert "ftrun-acme" in str(problem.hint)


def test_the_nearest_hook_is_told(installing: Installing) -> None:
    installing(HEAD + "@hookimpl\ndef ftrun_register_formaters(register): pass")
    assert problems()[0].did_you_mean[0] == "ftrun_register_formatters"


def test_an_entry_point_that_leads_nowhere(installing: Installing) -> None:
    installing(value="ftrun_acme.plugins")
    (problem,) = problems()
    assert "`acme` of ftrun-acme 1.0 cannot be imported: ModuleNotFoundError" in problem.what
    assert problem.at == "the entry point `acme = ftrun_acme.plugins` of ftrun-acme 1.0"


def test_an_entry_point_that_is_no_module(installing: Installing) -> None:
    installing("x = 3", value="ftrun_acme.plugin:x")
    (problem,) = problems()
    assert "`acme` of ftrun-acme 1.0" in problem.what
    assert problem.what.endswith("int")


def test_all_faulty_packages_are_told_at_once_and_stop_the_run(
    installing: Installing, capsys: pytest.CaptureFixture[str]
) -> None:
    installing("1 / 0")
    installing("import no_such_module", "ftrun-other")
    assert run_command(["recipes"]) == 2
    told = capsys.readouterr().err
    assert "ftrun: 2 problems" in told
    assert "ftrun-acme 1.0 cannot be imported: ZeroDivisionError" in told
    assert "ftrun-other 1.0 cannot be imported: ModuleNotFoundError" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("value", ["ftrun-acme", "FTRUN_Acme,", "1", " ftrun.acme , ftrun-other"])
def test_what_is_left_out_is_not_even_imported(
    value: str, installing: Installing, monkeypatch: pytest.MonkeyPatch
) -> None:
    installing("1 / 0")
    installing("", "ftrun-other")
    monkeypatch.setenv("FTRUN_DISABLE_PLUGINS", value)
    kept = [plugin.name for plugin in plugins().loaded.values() if plugin.distribution != "ftrun"]
    assert kept == ([] if value == "1" or "other" in value else ["other"])
    assert "ftrun_acme.plugin" not in sys.modules


def test_leaving_out_what_there_is_not_is_refused(installing: Installing, monkeypatch: pytest.MonkeyPatch) -> None:
    installing("")
    monkeypatch.setenv("FTRUN_DISABLE_PLUGINS", "ftrun-amce")
    (problem,) = problems()
    assert problem.did_you_mean == ("ftrun-acme",)
    assert problem.expected == "1 for all, or ftrun-acme"


def test_what_is_left_out_does_not_travel(installing: Installing, monkeypatch: pytest.MonkeyPatch) -> None:
    from ftrun_plugins.modal.client import source_bundle

    installing("")
    assert source_bundle.packages() == ("ftrun", "ftrun_plugins", "ftrun_acme")
    monkeypatch.setenv("FTRUN_DISABLE_PLUGINS", "1")
    assert source_bundle.packages() == ("ftrun", "ftrun_plugins")
    assert source_bundle.modules() == ()


def test_the_list_names_what_each_package_registers(
    installing: Installing, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = installing(HEAD + PART + REGISTERS.format("Part") + FOLDERS + VERB)
    (package / "conf" / "evals").mkdir(parents=True)
    (package / "conf" / "evals" / "mine.yaml").touch()
    assert run_command(["plugins", "--json"]) == 0
    own, acme = json.loads(capsys.readouterr().out)["distributions"]
    assert "chat" in own["formatters"]
    assert (acme["distribution"], acme["formatters"], acme["verbs"]) == ("ftrun-acme 1.0", ["shout"], ["greet"])
    assert (acme["groups"], acme["problems"]) == ({"evals": ["mine"]}, [])
    assert run_command(["plugins"]) == 0
    assert "ftrun-acme 1.0\n  formatters      shout\n  verbs           greet\n  evals=          mine\n" in (
        capsys.readouterr().out
    )
    assert run_command(["greet"]) == 0
    assert capsys.readouterr().out == "hello\n"
    monkeypatch.setenv("FTRUN_DISABLE_PLUGINS", "ftrun-acme")
    run_command(["plugins", "--json"])
    assert json.loads(capsys.readouterr().out)["left_out"] == ["ftrun-acme 1.0"]


FOLDERS = """
from pathlib import Path
from ftrun.api.config_dirs import ConfigFolders

@hookimpl
def ftrun_config_sources():
    return ConfigFolders(conf=Path(__file__).parent / "conf")
"""
VERB = """
import click

@click.command()
def greet():
    print("hello")

@hookimpl
def ftrun_register_commands(register):
    register(greet)
"""


def test_the_list_goes_on_past_a_faulty_package(installing: Installing, capsys: pytest.CaptureFixture[str]) -> None:
    installing("1 / 0")
    installing(HEAD + PART + REGISTERS.format("Part"), "ftrun-other")
    assert run_command(["plugins"]) == 2
    told = capsys.readouterr()
    assert "ftrun-other 1.0\n  formatters      shout" in told.out
    assert "ftrun-acme 1.0 cannot be imported" in told.err


def test_two_packages_with_one_verb_are_both_named(installing: Installing, capsys: pytest.CaptureFixture[str]) -> None:
    installing(HEAD + VERB)
    installing(HEAD + VERB, "ftrun-other")
    assert run_command(["greet"]) == 2
    assert "two packages register the verb `greet`: ftrun-acme 1.0 and ftrun-other 1.0" in capsys.readouterr().err


def test_a_verb_of_ftrun_cannot_be_taken(installing: Installing, capsys: pytest.CaptureFixture[str]) -> None:
    installing(HEAD + VERB.replace("greet", "show"))
    assert run_command(["--help"]) == 2
    assert "two packages register the verb `show`: ftrun and ftrun-acme 1.0" in capsys.readouterr().err


def test_a_faulty_verb_is_listed_with_its_own_package_and_hides_no_other(installing: Installing) -> None:
    installing(HEAD + VERB)
    installing(HEAD + VERB.replace("register(greet)", "raise OSError('not with ftrun-acme 1.0.1')"), "ftrun-other")
    listings = {listing.distribution: listing for listing in list_distributions({})}
    assert listings["ftrun-acme 1.0"].contents["verbs"] == ("greet",)
    assert listings["ftrun-acme 1.0"].problems == ()
    (problem,) = listings["ftrun-other 1.0"].problems
    assert "ftrun-other 1.0 failed in ftrun_register_commands" in problem.what


def test_a_verb_that_is_taken_is_listed_once(installing: Installing) -> None:
    installing(HEAD + VERB)
    installing(HEAD + VERB, "ftrun-other")
    found = {listing.distribution: [one.code for one in listing.problems] for listing in list_distributions({})}
    assert (found["ftrun-acme 1.0"], found["ftrun-other 1.0"]) == ([], ["name-conflict"])


def test_two_packages_with_one_option_are_both_named_whatever_they_call_themselves(installing: Installing) -> None:
    for name in ("ftrun-acme", "ftrun-other"):
        package = installing(HEAD + FOLDERS.replace("conf=", "'acme', conf="), name)
        (package / "conf" / "evals").mkdir(parents=True)
        (package / "conf" / "evals" / "same.yaml").touch()
    found = [problem.what for listing in list_distributions({}) for problem in listing.problems]
    assert found == ["`evals=same` is provided by both ftrun-acme 1.0 and ftrun-other 1.0"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (FOLDERS, "ftrun-acme 1.0 names a folder"),
        (FOLDERS.replace("return ", "return 3 #"), "`ftrun_config_sources` of ftrun-acme 1.0 returns int"),
        (FOLDERS.replace("return ", "1 / 0 #"), "failed in ftrun_config_sources: ZeroDivisionError: division by zero"),
    ],
)
def test_faulty_folders_are_told(
    text: str, what: str, installing: Installing, capsys: pytest.CaptureFixture[str]
) -> None:
    installing(HEAD + text)
    assert run_command(["recipes"]) == 2
    assert what in " ".join(capsys.readouterr().err.split())


def test_a_check_that_raises_is_no_fault_of_ftrun(
    installing: Installing, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    installing(HEAD + "@hookimpl\ndef ftrun_check_recipe(recipe):\n    yield recipe.no_such_thing\n")
    assert run_command(["validate", "recipe=quickstart"]) == 1
    told = capsys.readouterr().err
    assert "the plugin `acme` of ftrun-acme 1.0 failed in `ftrun_check_recipe`: AttributeError" in " ".join(
        told.split()
    )
    assert "plugin.py:4" in told
    assert "internal error" not in told


def test_a_watcher_that_raises_is_told_once_and_hears_no_more() -> None:
    told: list[str] = []

    def watching(name: str, fails: bool) -> ModuleType:
        module = ModuleType(name)

        @hookimpl
        def ftrun_event(run_id: str) -> None:
            told.append(name)
            if fails:
                raise KeyError("x")

        module.ftrun_event = ftrun_event  # type: ignore[attr-defined]
        return module

    loaded = Plugins()
    for name, fails in (("a", False), ("b", True), ("c", False)):
        loaded.load(watching(name, fails), name, f"{name} 1.0")
    (problem,) = loaded.emit("ftrun_event", run_id="r", event={})
    assert problem.code == "plugin-error"
    assert problem.what.startswith("the plugin `b` of b 1.0 failed in ftrun_event")
    assert problem.what.endswith("KeyError: 'x'")
    assert loaded.emit("ftrun_event", run_id="r", event={}) == []
    assert told == ["a", "b", "c", "a", "c"]


def test_ftruns_own_plugins_are_without_fault() -> None:
    assert load_all()[1] == {}
