"""A judge behind a real server: its weaknesses, the server's, and a stage that is killed half way."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftrun.api.errors import InvalidInput
from ftrun.api.evaluators import Pair, PairScores
from ftrun.api.paths import Store
from ftrun.api.secrets import variables_of
from ftrun.execution.engine import make_backend
from ftrun.planning.planner import make_plan
from ftrun.plugins.manager import plugins
from ftrun.recipe.load import Loaded
from ftrun.utils.jsonl import read_lines
from ftrun_plugins.evaluation.metrics.judge import Judge, parse_verdict
from ftrun_plugins.evaluation.resumable_jsonl import ResumableJsonl
from helpers.judge_server import JudgeServer, judge_server
from helpers.score_stage import answered, context, rows, scored
from helpers.workplace import PROJECT, wait_until


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in variables_of("judge"):
        monkeypatch.delenv(variable, raising=False)


def options(server: JudgeServer | str, **more: Any) -> dict[str, Any]:
    url = server if isinstance(server, str) else server.url
    return {"base_url": url, "model": "wise", "rubric": "Prefer what is {good}.", "retries": 0, **more}


def compare(server: JudgeServer | str, prompt: str, base: str, tuned: str, **more: Any) -> PairScores:
    return Judge().compare(Pair(prompt, "", base, tuned, {}), Judge.Options(**options(server, **more)))


@pytest.mark.parametrize(
    ("prompt", "base", "tuned", "expected"),
    [
        ("well?", "good", "bad", PairScores(1.0, 0.0, "base is preferred in both orders", "base")),
        ("well?", "bad", "good", PairScores(0.0, 1.0, "tuned is preferred in both orders", "tuned")),
        ("well?", "good", "good", PairScores(0.5, 0.5, "a tie in both orders", "tie")),
        ("biased", "bad", "good", PairScores(0.5, 0.5, "the first answer is preferred in both orders", "position")),
    ],
)
def test_a_pair_is_won_in_both_orders_or_not_at_all(prompt: str, base: str, tuned: str, expected: PairScores) -> None:
    with judge_server() as server:
        assert compare(server, prompt, base, tuned) == expected
        assert (server.asked("answer_a"), server.asked("answer_b")) == ([base, tuned], [tuned, base])


@pytest.mark.parametrize(("prompt", "told"), [("garbage", "B against A."), ("harmful", "I do not judge this.")])
def test_a_reply_without_a_verdict_leaves_the_pair_unscored(prompt: str, told: str) -> None:
    with judge_server() as server:
        scores = compare(server, prompt, "good", "bad")
    assert (scores.base, scores.tuned, scores.verdict) == (None, None, "unreadable")
    assert told in str(scores.reason)


def test_the_judge_is_the_one_that_the_recipe_pins() -> None:
    with judge_server() as server:
        server.model = "wise-2024-08-06"
        assert compare(server, "well?", "good", "bad").judged_by == "wise-2024-08-06"
        assert compare(server, "well?", "good", "bad", version="wise-2024-08-06").verdict == "base"
        with pytest.raises(InvalidInput) as refused:
            compare(server, "well?", "good", "bad", version="wise-2024-05-13")
    assert refused.value.problems[0].at == server.url


def test_the_judge_sees_the_rubric_and_no_names() -> None:
    with judge_server() as server:
        given = Judge.Options(**options(server, extra={"seed": 1}, max_tokens=None))
        Judge().compare(Pair("a {prompt}", "the reference", "one", "two", {}), given)
        question = server.requests[0]["messages"][0]["content"]
        assert server.requests[0] == {
            "model": "wise",
            "temperature": 0.0,
            "seed": 1,
            "messages": [{"role": "user", "content": question}],
        }
        assert [server.asked(tag)[0] for tag in ("rubric", "prompt", "reference_answer")] == [
            "Prefer what is {good}.",
            "a {prompt}",
            "the reference",
        ]
    assert "tuned" not in question
    assert "base" not in question


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("VERDICT: A", "A"),
        ("verdict: b.", "B"),
        ("**Verdict:** `TIE`", "TIE"),
        ("VERDICT: A\nOn second thought\nVERDICT: B\n", "B"),
        ("My verdict is answer B", "B"),
        ('{"verdict": "A"}', "A"),
        ("VERDICT:\nA", "A"),
        ("[[B]]", "B"),
        ("tie", "TIE"),
        ("", None),
        ("Verdict: a tie", None),
        ("VERDICT: A or B", None),
        ("A is better than B", None),
        ("VERDICT: C", None),
    ],
)
def test_verdicts_are_read(reply: str, verdict: str | None) -> None:
    assert parse_verdict(reply) == verdict


def test_what_passes_is_tried_again_after_as_long_as_the_server_asks() -> None:
    began = time.monotonic()
    with judge_server((429, {"Retry-After": "1"}), (503, {})) as server:
        assert compare(server, "well?", "good", "bad", retries=2).verdict == "base"
        assert len(server.keys) == 4
    assert time.monotonic() - began > 1


@pytest.mark.parametrize(
    ("failure", "retries", "told", "do"),
    [
        ((429, {}), 0, "the judge answers 429: not now", "lower `at_once`"),
        ((429, {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}), 5, "the judge answers 429: not now", "or wait"),
        ((429, {"Retry-After": "soon"}), 0, "the judge answers 429: not now", "or wait"),
        ((500, {}), 0, "the judge answers 500: not now", "`base_url`"),
        ((403, {}), 5, "the judge answers 403: not now", "set JUDGE_API_KEY"),
        ((429, {"Retry-After": "600"}), 5, "the judge answers 429: not now", "or wait"),
        ((200, {}), 5, "the judge does not send a chat completion", "`base_url`"),
        ((302, {"Location": "http://127.0.0.1:9/v1"}), 5, "the judge answers 302", "`base_url`"),
    ],
)
def test_what_does_not_pass_is_told(failure: tuple[int, dict[str, str]], retries: int, told: str, do: str) -> None:
    with judge_server(failure) as server, pytest.raises(InvalidInput) as refused:
        compare(server, "well?", "a", "b", retries=retries)
    (problem,) = refused.value.problems
    assert told in problem.what
    assert do in str(problem.hint)
    assert problem.at == server.url


def test_an_endpoint_that_is_not_there_is_one_line() -> None:
    with judge_server() as server:
        gone, elsewhere = server.url, server.url.removesuffix("/v1")
        with pytest.raises(InvalidInput, match="answers 404: there is no /chat/completions") as refused:
            compare(elsewhere, "well?", "a", "b")
        assert "/v1" in str(refused.value.problems[0].hint)
    with pytest.raises(InvalidInput, match=r"the judge does not answer: .*refused") as refused:
        compare(gone, "well?", "a", "b", retries=1)
    assert (len(refused.value.problems), refused.value.problems[0].at) == (1, gone)


def test_the_key_is_sent_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with judge_server(key="s3cret") as server:
        monkeypatch.setenv("OPENAI_API_KEY", "s3cret")  # which is for OpenAI's own address
        with pytest.raises(InvalidInput, match="answers 401: who are you"):
            compare(server, "well?", "good", "bad")
        assert server.keys == [None]
        monkeypatch.setenv("JUDGE_API_KEY", "s3cret\n")
        assert compare(server, "well?", "good", "bad").verdict == "base"
        monkeypatch.setenv("JUDGE_API_KEY", "s3cret\nX-Evil: 1")
        with pytest.raises(InvalidInput) as refused:
            compare(server, "well?", "good", "bad")
    assert "s3cret" not in repr(refused.value.problems)


def test_a_pair_that_the_judge_does_not_take_is_the_rows_fault() -> None:
    with judge_server() as server, pytest.raises(ValueError, match="answers 400: the prompt is longer"):
        compare(server, "long", "a", "b", retries=5)


QUESTIONS = ["well?", "biased", "garbage", *["and then?"] * 5]


def inputs(folder: Path, questions: list[str] = QUESTIONS) -> dict[str, Path]:
    count = len(questions)
    return {
        "base": answered(folder / "b", *(f"bad {row}" for row in range(count))),
        "tuned": answered(folder / "t", *(f"good {row}" for row in range(count))),
        "data": rows(folder / "d", count, questions=questions),
    }


def test_verdicts_are_counted(tmp_path: Path) -> None:
    with judge_server() as server:
        found = scored(tmp_path / "s", Judge, inputs(tmp_path), **options(server, at_once=3))
    assert [row["tuned"]["score"] for row in found] == [1.0, 0.5, None, 1.0, 1.0, 1.0, 1.0, 1.0]
    metric = list(read_lines(tmp_path / "s" / "events.jsonl"))[-1]
    assert metric["verdicts"] == {"tuned": 6, "position": 1, "unreadable": 1}
    assert (metric["tuned"], metric["unscored"]) == (pytest.approx(6.5 / 7, abs=1e-6), 1)


def test_evidence_for_the_judge_stands_beside_its_verdicts(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    pairs = [
        ("well?", "good", "bad", "a"),
        ("well?", "bad", "good", "b"),
        ("well?", "bad", "good", "a"),
        ("well?", "bad", "bad", "tie"),
        ("biased", "good", "bad", "tie"),
        ("garbage", "good", "bad", "a"),
    ]
    lines = [dict(zip(("prompt", "a", "b", "label"), pair, strict=True)) for pair in pairs]
    labels.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with judge_server() as server:
        server.model = "wise-1"
        scored(tmp_path / "s", Judge, inputs(tmp_path), **options(server, labels=str(labels)))
    found = json.loads((tmp_path / "s" / "output" / "score.json").read_text())
    assert found["judged_by"] == ["wise-1"]
    assert found["position_consistent"] == pytest.approx(6 / 7, abs=1e-6)
    assert (found["characters_preferred"], found["characters_other"], found["longer_preferred"]) == (6.0, 5.0, 1.0)
    agreement = found["agreement"]
    assert (agreement["pairs"], agreement["unscored"], agreement["same"]) == (5, 1, 0.8)
    # by hand: chance agrees in (2 * 1 + 1 * 2 + 2 * 2) / 25 = 0.32 of the pairs
    assert agreement["kappa"] == pytest.approx((0.8 - 0.32) / (1 - 0.32), abs=1e-6)
    assert agreement["interval"][0] < agreement["kappa"] < agreement["interval"][1]
    assert list(read_lines(tmp_path / "s" / "events.jsonl"))[-1]["agreement"] == agreement


def test_labels_are_part_of_the_key_but_not_their_path(
    loading: Callable[..., Loaded], store: Store, folder: Path
) -> None:
    line = '{"prompt": "p", "a": "x", "b": "y", "label": "tie"}\n'
    for name, content in (("one.jsonl", line), ("moved.jsonl", line), ("other.jsonl", line * 2)):
        (folder / name).write_text(content)

    def key(name: str) -> str:
        judge = ("evals.judge.model=wise", "evals.judge.base_url='http://127.0.0.1:9/v1'")
        recipe = loading("evals=[judge]", *judge, f"evals.judge.labels={folder / name}").recipe
        plan = make_plan(recipe, plugins(), make_backend(recipe, plugins(), store))
        (call,) = (call for call in plan.calls if call.label == "score:judge")
        assert str(folder) not in json.dumps(call.params)
        return call.key

    assert key("one.jsonl") == key("moved.jsonl") != key("other.jsonl")


def test_labels_are_relative_to_the_recipe(loading: Callable[..., Loaded], folder: Path) -> None:
    (folder / "labels.jsonl").write_text('{"prompt": "p", "a": "x", "b": "y", "label": "tie"}\n')
    options = "{model: wise, base_url: 'http://127.0.0.1:9/v1', labels: labels.jsonl}"
    loaded = loading("evals=[judge]", more=f"evals: {{judge: {options}}}\n")
    assert loaded.recipe.evals["judge"].options["labels"] == str(folder / "labels.jsonl")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "file-not-found"),
        ("", "no-rows"),
        ("{", "wrong-format"),
        ("[]", "wrong-format"),
        ('{"prompt": "p", "a": "x", "b": "y", "label": "c"}', "wrong-format"),
        ('{"prompt": "p", "a": "x", "label": "a"}', "wrong-format"),
    ],
)
def test_labels_that_cannot_be_read_are_refused(
    loading: Callable[..., Loaded], folder: Path, content: str | None, code: str
) -> None:
    if content is not None:
        (folder / "labels.jsonl").write_text(content)
    judge = ("evals.judge.model=wise", "evals.judge.base_url='http://127.0.0.1:9/v1'")
    with pytest.raises(InvalidInput) as refused:
        loading("evals=[judge]", *judge, f"evals.judge.labels={folder / 'labels.jsonl'}")
    assert [problem.code for problem in refused.value.problems] == [code]


def test_a_row_that_the_judge_does_not_take_is_unscored(tmp_path: Path) -> None:
    with judge_server() as server:
        first, second = scored(tmp_path / "s", Judge, inputs(tmp_path, ["well?", "long"]), **options(server))
    assert (first["base"]["score"], second["base"]["score"], second["place"]) == (0.0, None, "rows.jsonl:2")


def test_a_failure_of_the_endpoint_costs_one_row(tmp_path: Path) -> None:
    with judge_server((500, {})) as server:
        found = scored(tmp_path / "s", Judge, inputs(tmp_path, ["well?"] * 3), **options(server, at_once=1))
    assert [row["tuned"]["score"] for row in found] == [None, 1.0, 1.0]


KILLED = """\
import json, sys
from pathlib import Path
from ftrun_plugins.evaluation.metrics.judge import Judge
from helpers.score_stage import scored
folder, inputs, options = json.loads(sys.argv[1])
scored(Path(folder), Judge, {role: Path(path) for role, path in inputs.items()}, **options)
"""


def test_a_call_that_was_killed_asks_no_pair_again(tmp_path: Path) -> None:
    questions = [f"question {row}" for row in range(40)]
    given = inputs(tmp_path, questions)
    with judge_server() as server:
        chosen = options(server, at_once=1)
        asked = json.dumps([str(tmp_path / "s"), {role: str(path) for role, path in given.items()}, chosen])
        paths = [PROJECT / part for part in ("runner", "plugins", "tests")]
        process = subprocess.Popen([sys.executable, "-c", KILLED, asked], env={"PYTHONPATH": ":".join(map(str, paths))})
        wait_until(lambda: len(server.requests) > 10, "ten requests")
        process.kill()
        process.wait()
        kept = list(ResumableJsonl(context(tmp_path / "s", given).work / "scores.jsonl").lines)
        assert 5 <= len(kept) < 40
        found = scored(tmp_path / "s", Judge, given, **chosen)
        times = Counter(server.asked("prompt"))
    assert [row["tuned"]["score"] for row in found] == [1.0] * 40
    assert {times[f"user: question {row}"] for row in kept} == {2}
    assert set(times.values()) <= {2, 3, 4}  # of the pair that was being judged when it was killed
    assert len([count for count in times.values() if count > 2]) <= 1


def test_a_recipe_names_who_judges(loading: Callable[..., Loaded]) -> None:
    with pytest.raises(InvalidInput) as refused:
        loading("evals=[judge]")
    assert [problem.code for problem in refused.value.problems] == ["missing-key", "missing-key"]
    for problem, key in zip(refused.value.problems, ("base_url", "model"), strict=True):
        assert f"`evals.judge.{key}`" in problem.what
    url = "evals.judge.base_url='https://user:key@example.com/v1'"
    with pytest.raises(InvalidInput, match="base_url"):
        loading("evals=[judge]", "evals.judge.model=wise", url)
    loading("evals=[judge]", "evals.judge.model=wise", "evals.judge.base_url='https://example.com/v1'")
