"""The documentation names all that there is, and its links lead somewhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ftrun.api import errors, hookspecs
from ftrun.cli.commands import builtin_commands
from ftrun.plugins.manager import Registered, plugins
from ftrun.recipe.layers import GROUPS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES_OF_DOCS = sorted(DOCS.rglob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *PAGES_OF_DOCS]
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
OPTIONS = [
    pytest.param(group, file.stem, id=f"{group}/{file.stem}")
    for group in GROUPS
    for file in sorted((ROOT / "conf" / group).glob("*.yaml"))
]
HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("ftrun_"))


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("verb", builtin_commands())
def test_every_verb_is_described(verb: str) -> None:
    assert f"| `ftrun {verb}" in page("reference/cli.md")


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_described(hook: str) -> None:
    assert re.search(rf"\b{hook}\b", page("reference/hooks.md"))


@pytest.mark.parametrize("group", [group for group in GROUPS if (ROOT / "conf" / group).is_dir()])
def test_every_config_group_is_described(group: str) -> None:
    assert re.search(rf"^\| `{group}`", page("reference/recipes.md"), re.MULTILINE)


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_is_described(group: str, option: str) -> None:
    assert f"`{option}`" in page("reference/recipes.md")


@pytest.mark.parametrize("component", plugins().all(), ids=lambda component: f"{component.kind}-{component.name}")
def test_every_component_is_described(component: Registered) -> None:
    name = "reference/stages.md" if component.kind == "stage" else "reference/recipes.md"
    assert f"`{component.name}`" in page(name)


def headings(text: str) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ +(.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_relative_links_lead_somewhere(file: Path) -> None:
    for link in (first or second for first, second in LINK.findall(file.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path) if path else file
        assert target.exists(), f"{file.name}: {link}"
        if anchor:
            assert anchor in headings(target.read_text(encoding="utf-8")), f"{file.name}: {link}"


@pytest.mark.parametrize("file", PAGES_OF_DOCS, ids=lambda file: str(file.relative_to(DOCS)))
def test_a_page_opens_with_one_sentence_on_what_the_reader_can_do(file: Path) -> None:
    title, opening = file.read_text(encoding="utf-8").split("\n\n")[:2]
    assert re.fullmatch(r"# .+", title)
    assert re.search(r"\byou\b", opening)
    assert re.fullmatch(r"[^.]+\.", re.sub(r"`[^`]*`|\([^)]*\)", "", opening))


def test_the_list_of_pages_is_complete() -> None:
    links = {first or second for first, second in LINK.findall(page("README.md"))}
    assert links == {str(file.relative_to(DOCS)) for file in PAGES_OF_DOCS} - {"README.md"}


def test_there_is_something_to_look_at() -> None:
    assert len(HOOKS) > 10
    assert len(OPTIONS) > 15
    assert any(LINK.search(file.read_text(encoding="utf-8")) for file in PAGES)


def test_the_makefile_names_the_folders_of_all_end_to_end_tests() -> None:
    named = re.search(r"^E2E := ([^#]+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert named
    folders = [ROOT / folder for folder in named[1].split()]
    for path in (ROOT / "tests").rglob("test_*.py"):
        if "pytest.mark." + "e2e" in path.read_text(encoding="utf-8"):
            assert any(path.is_relative_to(folder) for folder in folders), path


def test_the_table_of_behaviours_names_modules_and_tests_that_exist() -> None:
    rows = re.findall(r"^\| (.+) \| `(.+\.py)` \| `(tests/.+\.py)` \|$", page("architecture.md"), re.MULTILINE)
    assert len(rows) >= 30
    assert len({behaviour for behaviour, _, _ in rows}) == len(rows)
    for _, module, test in rows:
        assert (ROOT / module).is_file(), module
        assert (ROOT / test).is_file(), test
        assert "def test_" in (ROOT / test).read_text(encoding="utf-8"), test


TRUST = "explanation/trust.md"
PARTIES = 12  # at least
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def trust_table() -> list[tuple[str, str]]:
    """Return who is trusted and the cell of tests, for each row of the table."""
    text = page(TRUST).partition("## Who is trusted with what")[2].partition("\n## ")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| ")]
    assert {len(row) for row in rows} == {4}
    return [(row[0].strip(), row[3]) for row in rows[1:]]


def test_each_row_of_the_table_of_trust_names_tests_that_exist() -> None:
    table = trust_table()
    assert len({who for who, _ in table}) == len(table) >= PARTIES
    for who, cell in table:
        assert TEST.findall(cell), who
        assert not TEST.sub("", cell).replace(",", "").strip(), who
        for file, name in TEST.findall(cell):
            functions = {
                node.name
                for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
                if isinstance(node, ast.FunctionDef)
            }
            assert name in functions, f"{who}: {file}::{name}"


CARRIERS = (
    "Problem",
    "Issue",
    "KnownError",
    "InvalidRowError",
    "Fault",
    "_WrongLineError",
)  # the code is their first argument
ROWS = {"Rejected": 1, "BadRow": 4}  # position of the code


def codes_in(path: Path) -> set[str]:
    """Return the error codes that a source file names, written as literals."""
    found = set(re.findall(r'^ +code\b.* = "([a-z-]+)"', path.read_text(encoding="utf-8"), re.MULTILINE))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            position = 0 if node.func.id in CARRIERS else ROWS.get(node.func.id)
            if position is not None and len(node.args) > position:
                literals = (part.value for part in ast.walk(node.args[position]) if isinstance(part, ast.Constant))
                found.update(value for value in literals if isinstance(value, str))
    return found


def test_every_error_code_is_described_once_and_no_other() -> None:
    described = re.findall(r"^\| `([a-z-]+)` \| .+\. \| .+\. \|$", page("reference/errors.md"), re.MULTILINE)
    sources = [path for folder in ("runner", "plugins") for path in (ROOT / folder).rglob("*.py")]
    used = set().union(*map(codes_in, sources)) | {errors.UNKNOWN_CODE}
    assert sorted(described) == sorted(used)
