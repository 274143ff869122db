"""Task files of lm-evaluation-harness, read as data."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.utils.digests import sha256_of
from ftrun_plugins.evaluation.lm_eval.task_file import TaskFile
from helpers.catalogue.case import is_about

WHOLE = """\
    task: capitals
    dataset_path: json
    dataset_kwargs: {data_files: {test: rows.jsonl, train: [more/rows.jsonl]}}
    output_type: multiple_choice
    doc_to_choice: {0: "no", 1: "yes"}
"""
Read = Callable[..., TaskFile]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    (tmp_path / "more").mkdir()
    for name in ("rows.jsonl", "more/rows.jsonl"):
        (tmp_path / name).write_text(f'{{"in": "{name}"}}\n')
    (tmp_path / "helpers.py").write_text("def clean(rows):\n    return rows\n")

    def read_it(text: str, trusted: bool = False) -> TaskFile:
        (tmp_path / "task.yaml").write_text(dedent(text))
        return TaskFile(tmp_path / "task.yaml", trusted, sha256_of)

    return read_it


def test_names_of_files_become_digests(read: Read, tmp_path: Path) -> None:
    task = read(WHOLE)
    one, other = (sha256_of(tmp_path / name) for name in ("rows.jsonl", "more/rows.jsonl"))
    assert task.config["dataset_kwargs"] == {"data_files": {"test": one, "train": [other]}}
    assert task.files == {one: tmp_path / "rows.jsonl", other: tmp_path / "more/rows.jsonl"}
    assert task.config["doc_to_choice"] == {"0": "no", "1": "yes"}
    assert task.is_local


def test_a_file_lies_over_those_that_it_includes(read: Read, tmp_path: Path) -> None:
    (tmp_path / "more" / "base.yaml").write_text(dedent(WHOLE))
    task = read("include: more/base.yaml\ntask: towns\n")
    assert (task.config["task"], task.config["output_type"]) == ("towns", "multiple_choice")
    assert "include" not in task.config
    for text, code, name in (
        ("include: task.yaml\ntask: towns\n", "invalid-task", "task.yaml"),
        ("include: none.yaml\n", "file-not-found", "none.yaml"),
    ):
        with pytest.raises(InvalidInput) as refused:
            read(text)
        (problem,) = refused.value.problems
        assert (problem.code, problem.at) == (code, str(tmp_path / name))


def test_data_of_the_hub_are_downloaded(read: Read) -> None:
    task = read("task: mine\ndataset_path: EleutherAI/arithmetic\ndataset_name: sums\n")
    assert not task.is_local
    assert task.files == {}


def test_a_syntax_error_has_its_position(read: Read, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        read("task: mine\nnumbers: [1\nmore: 2")
    assert [problem.at for problem in refused.value.problems] == [f"{tmp_path / 'task.yaml'}:3:5"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1]", "invalid-task mapping"),
        ("task: [", "invalid-yaml"),
        ("group: many\ntask: [a, b]", "invalid-task one task"),
        ("task: mine", "invalid-task `dataset_path` is None"),
        ("task: mine\ndataset_path: json", "invalid-task `dataset_kwargs.data_files`"),
        ("task: mine\ndataset_path: json\ndataset_kwargs: {data_dir: more}", "invalid-task `data_dir`"),
        ("task: mine\ndataset_path: json\ndataset_kwargs: {data_files: none.jsonl}", "invalid-task `none.jsonl`"),
        (
            "task: mine\ndataset_path: json\ndataset_kwargs: {data_files: 'https://example.com/a'}",
            "invalid-task `https://example.com/a`",
        ),
        ("task: mine\ndataset_path: ../here", "invalid-task `dataset_path` is '../here'"),
        ("task: mine\ndataset_path: more/rows.jsonl", "invalid-task `dataset_path` is 'more/rows.jsonl'"),
        # reads pickles, which run what they hold
        (
            "task: mine\ndataset_path: pandas\ndataset_kwargs: {data_files: rows.jsonl}",
            "invalid-task `dataset_path` is 'pandas'",
        ),
        ("task: mine\nprocess_docs: !function helpers.clean", "invalid-task `process_docs`"),
        (
            "task: mine\nfilter_list: [{filter: [{function: !function a.b}]}]",
            "invalid-task `filter_list[0].filter[0].function`",
        ),
        ("task: mine\nclass: some.Class", "invalid-task `class`"),
        ("task: mine\nunsafe_code: true", "invalid-task `unsafe_code`"),
        ("task: mine\nmetric_list: [{metric: wer, hf_evaluate: true}]", "invalid-task `hf_evaluate`"),
        ("task: mine\nx: !!python/object/apply:os.system ['true']", "invalid-yaml"),
    ],
)
def test_what_is_refused(text: str, reason: str, read: Read) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(text)
    assert is_about(refused.value.problems[0].code, refused.value.problems[0].what, reason)
    assert "task.yaml" in str(refused.value.problems[0].at)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"task: mine\n{BOMB}", "too-large"),
        (f"task: mine\nx: {'[' * 100}{']' * 100}\n", "invalid-yaml"),
        (f"task: mine\nx: {'[' * 5000}{']' * 5000}\n", "invalid-yaml"),
        ("task: mine\nx: &x [*x]\n", "invalid-yaml"),
    ],
    ids=["aliases", "depth", "recursion", "cycle"],
)
def test_a_bomb_is_refused_at_once(text: str, code: str, read: Read) -> None:
    start = time.monotonic()
    with pytest.raises(InvalidInput) as refused:
        read(text)
    assert [problem.code for problem in refused.value.problems] == [code]
    assert time.monotonic() - start < 10


def test_files_that_include_each_other_twice_are_refused(read: Read, tmp_path: Path) -> None:
    for level in range(30):
        (tmp_path / f"{level}.yaml").write_text(f"include: [{level + 1}.yaml, {level + 1}.yaml]\n")
    (tmp_path / "30.yaml").write_text("x: 1\n")
    with pytest.raises(InvalidInput) as refused:
        read("include: 0.yaml\ntask: mine\n")
    assert [problem.code for problem in refused.value.problems] == ["too-large"]


def test_a_trusted_file_may_name_functions_beside_it(read: Read, tmp_path: Path) -> None:
    text = dedent(WHOLE) + "process_docs: !function helpers.clean\n"
    task = read(text, trusted=True)
    digest = sha256_of(tmp_path / "helpers.py")
    assert task.config["process_docs"] == {"!function": [digest, "clean"]}
    assert task.files[digest] == tmp_path / "helpers.py"
    with pytest.raises(InvalidInput) as refused:
        read(text.replace("helpers", "none"), trusted=True)
    (problem,) = refused.value.problems
    assert is_about(problem.code, problem.what, "invalid-task `none.py`")
