from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import textwrap
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ftrun.api.planner import Planner
from ftrun.api.recipe import Dataset
from ftrun.api.stage_call import Component
from ftrun_plugins.data.format.planner import FormatPlan
from ftrun_plugins.data.formatters.chat import ChatFormatter
from ftrun_plugins.data.sources import docstring
from ftrun_plugins.data.sources.parquet_source import Parquet
from ftrun_plugins.data.sources.python_api import Documented, list_documented
from ftrun_plugins.data.sources.python_docs import PythonDocs
from ftrun_plugins.data.sources.python_docs_source import PythonDocsSource
from ftrun_plugins.data.sources.python_package import Package

MADE = {
    "__init__.py": '''
        """A made-up package whose only purpose is to be read and never to be imported."""
        raise RuntimeError("imported")
        try:
            from ._core import Widget, renamed as turned
            from .extra import helper, forget
        except ImportError:
            raise
        __all__ = ["Widget", "turned"]
        __all__ += ["helper", "forget", "missing", "_private"]
    ''',
    "_core.py": '''
        def wrap(kind): ...

        class _Parts:
            """mdmd:namespace"""
            def count(self, *, _secret: int = 0) -> int:
                """Count the parts, each of them exactly once, however they are arranged."""

        class _Widget:
            """A thing that turns, and that other things hang on. It is never alone.

            See the [guide](https://example.org/guide) or [below](#below).
            """
            def __init__(self, size: "Optional[int]" = None, *args, **kwargs):
                """Make a widget of a size.

                Args:
                    size: How large it is, in metres,
                        which may be broken.
                """
            @property
            def parts(self) -> _Parts:
                """What the widget is made of, piece by piece, in a separate namespace."""
            @classmethod
            def load(cls, path: "os.PathLike", /, mode: typing.Literal["a b"] = "a b") -> typing.Union[int, None]:
                """Load a widget from a file that was written by an earlier version.

                Examples:
                    Prose first:

                    ```python notest
                    Widget.load("there")
                    ```
                """
            def _inner(self):
                """Something that no user of this class should ever have to know about."""
            def silent(self): ...
            def brief(self):
                """Short."""
            def hidden(self):
                """mdmd:hidden

                Something that users should never call, although it has a long docstring.
                """
            @warnings.deprecated("use load")
            def dump(self):
                """Write a widget to a file that a later version is going to refuse to read."""

        Widget = wrap(_Widget, target=__name__)

        def renamed(x: int, y=1, *, z: list[a.b.C] = []) -> None:
            """Turn something round by an angle, in the direction that the angle says.

            Parameters
            ----------
            x : int
                The angle to turn it by, in degrees.

            Returns
            -------
            nothing
                At all.
            """
    ''',
    "extra.py": '''
        import json
        from ._core import Widget
        def helper():
            """Help with what has to be done, for example like this:

            ```python
            helper()
            ```
            """
        def forget():
            """**Deprecated**: forget about this one, since it does nothing that is useful."""
        class Spare:
            """Turn something round by an angle, in the direction that the angle says."""
    ''',
    "typed.py": "typed = None",
    "typed.pyi": '''
        class __typed_spec(Protocol):
            def __call__(self, /, a: str) -> bool:
                """Whether the text is typed, which is said by a protocol of the stub alone."""
        typed: __typed_spec
    ''',
    "cli.py": '''
        def command():
            """A command that is for the shell only, because Python code never calls it."""
    ''',
    "broken.py": "def (",
}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file, text in MADE.items():
        path = tmp_path / "made_up" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path / "made_up"


Row = tuple[dict[str, object], str, int]


def rows(package: str, **options: object) -> list[Row]:
    source = PythonDocs()
    return list(source.rows(source.Options.model_validate({"package": package, **options})))


def exchange(row: Row) -> tuple[str, str]:
    messages = row[0]["messages"]
    assert isinstance(messages, list)
    user, assistant = messages
    assert (user["role"], assistant["role"]) == ("user", "assistant")
    return user["content"], assistant["content"]


def test_public_names_with_their_signatures(made: Path) -> None:
    assert [(item.kind, item.signature) for item in list_documented("made_up")] == [
        ("module", "import made_up"),
        ("class", "made_up.Widget(size: int | None = None, *args, **kwargs)"),
        ("property", "made_up.Widget.parts"),  # its type is private
        ("method", "made_up.Widget.parts.count() -> int"),
        ("method", "made_up.Widget.load(path: PathLike, /, mode: Literal['a b'] = 'a b') -> int | None"),
        ("function", "made_up.turned(x: int, y=1, *, z: list[C] = []) -> None"),
        ("function", "made_up.helper()"),
        ("class", "class made_up.extra.Spare"),
        ("function", "made_up.typed.typed(a: str) -> bool"),
    ]


TEXT = '"""Do something that takes more than sixty characters to say, as a docstring must."""'

# Files of a package, and the signatures of its public names.
PACKAGES: dict[str, tuple[dict[str, str], list[str]]] = {
    "names of star imports": (
        {"__init__.py": "from ._a import *", "_a.py": f"__all__ = ['f']\ndef f(): {TEXT}\ndef g(): {TEXT}"},
        ["p.f()"],
    ),
    "`__all__` of another module": (
        {
            "__init__.py": "from . import _a\nfrom ._a import f, g\n__all__ = [*_a.__all__]",
            "_a.py": f"__all__ = ['f']\ndef f(): {TEXT}\ndef g(): {TEXT}",
        },
        ["p.f()"],
    ),
    "a function that has the name of its module": (
        {"__init__.py": "from .f import f", "f.py": f"def f(): {TEXT}"},
        ["p.f()"],
    ),
    "a class that a wrapper replaces": (
        {"__init__.py": f"class A:\n    {TEXT}\n    def f(self): {TEXT}\nA = wrap(A)"},
        ["class p.A", "p.A.f()"],
    ),
    "the docstring of an overload": (
        {
            "__init__.py": f"from typing import overload\n@overload\ndef f(x: int) -> int: {TEXT}\n"
            "@overload\ndef f(x: str) -> str: ...\ndef f(x): return x"
        },
        ["p.f(x)"],
    ),
    "a folder without `__init__.py`": (
        {"inner/a.py": f"def f(): {TEXT}"},
        ["p.inner.a.f()"],
    ),
    "fields of a dataclass and of its base": (
        {
            "__init__.py": "from dataclasses import dataclass, field\n@dataclass\nclass _A:\n    x: int\n"
            f"@dataclass\nclass B(_A):\n    {TEXT}\n    y: list = field(default_factory=list)\n    _z: int = 0"
        },
        ["p.B(x: int, y: list = list())"],
    ),
    "types and defaults that griffe cannot shorten": (
        {
            "__init__.py": "from typing import *\n"
            f"def f(x: Union[int], y: Callable[[Optional['a.B']], C] = a.b.C.D, z=_HIDDEN, *args: *T): {TEXT}"
        },
        ["p.f(x: Union[int], y: Callable[[B | None], C] = C.D, z=..., *args: *T)"],
    ),
    "names that lead nowhere": (
        {
            "__init__.py": f"from .gone import a\nfrom p import b\nb = c\nc = b\nd = a.x\nd: a\ndef f(): {TEXT}",
            "deep.py": "if x: pass\n" + "elif x: pass\n" * 2000,
            "binary.py": "\0",
        },
        ["p.f()"],
    ),
}


@pytest.mark.parametrize(("files", "signatures"), PACKAGES.values(), ids=PACKAGES)
def test_ways_to_write_a_package(files: dict[str, str], signatures: list[str], tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_text(text)
    assert [item.signature for item in list_documented("p", root=tmp_path / "p")] == signatures


def test_a_docstring_is_found_where_it_says(made: Path) -> None:
    for item in list_documented("made_up"):
        assert item.doc.splitlines()[0] in (made / item.file).read_text().splitlines()[item.line - 1]


def test_wordings_follow_what_the_docstring_has(made: Path) -> None:
    asked = {name: [exchange(row)[0] for row in group] for name, group in groupby(rows("made_up"), _group)}
    assert asked["made_up.Widget.load"] == [
        "What does `made_up.Widget.load` do?",
        "Show me an example of `made_up.Widget.load`.",
        "Which method in `made_up` fits the description "
        '"Load a widget from a file that was written by an earlier version"?',
    ]
    assert asked["made_up.Widget"][1] == "Which arguments does `made_up.Widget` take, and what do they mean?"


def test_answers_are_signature_and_docstring(made: Path) -> None:
    answers = dict(map(exchange, rows("made_up", wordings=5)))
    assert answers["Which arguments does `made_up.turned` take, and what do they mean?"] == (
        "```python\nmade_up.turned(x: int, y=1, *, z: list[C] = []) -> None\n```\n\n"
        "- x : int\n  The angle to turn it by, in degrees."
    )
    assert answers["Show me an example of `made_up.Widget.load`."] == (
        'Prose first:\n\n```python\nWidget.load("there")\n```'
    )
    assert answers["What is `made_up.Widget`?"].endswith("or below.\n\nMake a widget of a size.")
    assert answers["How do I import `made_up`?"].startswith("```python\nimport made_up\n```")


def test_names_with_the_same_docstring_share_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '"""The very same words for the one and for the other, which must not be split apart."""'
    (tmp_path / "twins.py").write_text(f"def one():\n    {text}\ndef other():\n    {text}\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = rows("twins", wordings=5)
    assert {_group(row) for row in found} == {"twins.one"}
    assert [exchange(row)[0] for row in found] == [
        "What does `twins.one` do?",
        "How do I call `twins.one`?",
        "What does `twins.other` do?",
        "How do I call `twins.other`?",
    ]


def test_skipped_names_take_what_is_beneath_them_along(made: Path) -> None:
    groups = {_group(row) for row in rows("made_up", skip=["made_up.Widget"])}
    assert groups == {"made_up", "made_up.turned", "made_up.helper", "made_up.extra.Spare", "made_up.typed.typed"}


def test_files_are_all_that_is_read(made: Path) -> None:
    source = PythonDocs()
    assert source.files(source.Options(package="made_up")) == sorted(made.iterdir())


@pytest.mark.parametrize("package", ["no_such_package_here", "modal.cli", "../modal", "sys"])
def test_only_an_installed_package_is_read(package: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(package))):
        rows(package)


def test_the_nearest_installed_names_are_told() -> None:
    with pytest.raises(ValueError, match=r"nearest installed: .*pydantic"):
        rows("pydantik")


def test_a_package_without_docstrings_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wordless.py").write_text("def f(): ...")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="'wordless' has a docstring of 60"):
        rows("wordless")


def test_unknown_options_are_errors() -> None:
    with pytest.raises(ValidationError):
        PythonDocs.Options.model_validate({"package": "modal", "lenght": 3})


def test_docs_can_be_mixed_with_rows_that_only_the_trainer_can_read(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1....PAR1")
    sources = {"python_docs": {"package": "pluggy"}, "parquet": {"path": str(tmp_path / "rows.parquet")}}
    parts = {name: {"source": {"name": name, **options}} for name, options in sources.items()}
    classes = {"python_docs": PythonDocsSource, "parquet": Parquet, "chat": ChatFormatter}
    planner = SimpleNamespace(
        registered=lambda kind, name: classes[name],
        component=lambda kind, name: Component(implementation=name, source="0" * 64),
        digests=SimpleNamespace(file=lambda path: path.name),
    )
    dataset = Dataset.model_validate({"parts": parts, "formatter": {"name": "chat"}})
    planned = FormatPlan(cast(Planner, planner))
    planned.params(dataset)
    assert planned.environment == "trainer"


@given(st.lists(st.sampled_from(["Some text.", "```python\ncode()\n\nmore()\n```", "More of it."])), st.integers(1, 60))
def test_shortened_text_ends_at_a_paragraph_and_closes_its_code(paragraphs: list[str], limit: int) -> None:
    text = "\n\n".join(paragraphs)
    short = docstring.shorten(text, limit)
    assert text.startswith(short)
    assert short.count("```") % 2 == 0
    assert len(short) <= max(limit, len(text.partition("\n\n")[0]))
    assert text[len(short) :][:2] in ("", "\n\n") or not short


# Additions of an answer to the docstring: the name, if the question does not have it, and the signature.
FRAME = re.compile(r"\A(?:That is `[\w.]+`:\n\n)?(?:```python\n(?:class |import )?modal\b[^\n]*\n```\n\n)?")


# On the package that the dataset `modal_docs` is made of.


@pytest.fixture(scope="module")
def modal() -> list[Documented]:
    return list(list_documented("modal"))


@pytest.fixture(scope="module")
def modal_rows() -> list[Row]:
    return rows("modal")


def test_modal_is_told_by_the_names_that_its_users_write(modal: list[Documented]) -> None:
    told = {item.name: item.signature for item in modal}
    assert len(told) == len(modal)
    assert told.keys() >= {
        "modal.App.function",
        "modal.Function.spawn",
        "modal.Function.remote",
        "modal.Image.debian_slim",
        "modal.Volume.commit",
        "modal.Dict.objects.create",
        "modal.Sandbox.exec",
        "modal.exception.ConflictError",
    }
    assert not [name for name in told if re.search(r"\._|\.NetworkFileSystem|\.web_endpoint|\.cli\.", name)]
    assert told["modal.Image.debian_slim"] == (
        "modal.Image.debian_slim(python_version: str | None = None, force_build: bool = False) -> Image"
    )
    assert not [line for line in told.values() if "\n" in line or "self" in line.split("(")[-1]]


@pytest.mark.slow
def test_modal_gives_rows_enough_and_each_question_once(modal_rows: list[Row]) -> None:
    questions = [exchange(row)[0] for row in modal_rows]
    assert len(questions) >= 300
    assert len(set(questions)) == len(questions)
    assert modal_rows == rows("modal")


@pytest.mark.slow
def test_every_answer_is_in_the_words_of_a_docstring(modal_rows: list[Row]) -> None:
    root = Package("modal").root
    written = {file: _docstrings(root / file) for file in {file for _, file, _ in modal_rows}}
    for row in modal_rows:
        _, answer = exchange(row)
        lines = [_plain(line.removeprefix("- ")) for line in FRAME.sub("", answer).splitlines() if "```" not in line]
        assert any(lines)
        assert [line for line in lines if line not in written[row[1]]] == []


def test_nothing_of_the_package_is_imported() -> None:
    code = (
        "import sys\n"
        "from ftrun_plugins.data.sources.python_docs import PythonDocs as D\n"
        "assert list(D().rows(D.Options(package='modal')))\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'modal'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def _group(row: Row) -> object:
    return row[0]["group"]


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\[([^\]]+)\]\(#[^)]*\)", r"\1", text).split())


def _docstrings(file: Path) -> str:
    documentable = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = (node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, documentable))
    return _plain("\n".join(ast.get_docstring(node) or "" for node in nodes))
