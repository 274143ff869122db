"""Models that call tools: trained on rows with calls, and served so that requests may have tools."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from helpers.served import server
from helpers.workplace import PROJECT, SCRIPTS, Workplace, in_trainer, read_json, tiny_recipe

pytestmark = pytest.mark.e2e

CALL = '{"name": "porch", "arguments": {"side": "lee"}}'
PORCH = {"name": "porch", "arguments": '{"side": "lee"}'}
ASKED = "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n"
Case = tuple[str | None, str | None, str, str, str, str | None, list[dict[str, str]]]
CASES: dict[str, Case] = {  # parsers, prompt, answer; text, thoughts and calls
    "two calls after a text": (
        "hermes", None, ASKED, f"Sure.\n<tool_call>\n{CALL}\n</tool_call>\n<tool_call>{CALL}</tool_call><|im_end|>",
        "Sure.", None, [PORCH, PORCH],
    ),
    "thoughts, then a call": (
        "hermes", "qwen3", ASKED, f"<think>\nNoon.\n</think>\n\n<tool_call>\n{CALL}\n</tool_call><|im_end|>",
        "", "Noon.", [PORCH],
    ),
    "thoughts, then a text": (
        None, "qwen3", ASKED, "<think>\nNoon.\n</think>\n\nAda\n waits.<|im_end|>", "Ada\n waits.", "Noon.", [],
    ),
    "thoughts that the prompt begins": (
        None, "deepseek_r1", f"{ASKED}<think>\n", "Noon.\n</think>\n\nAda.<|im_end|>", "Ada.", "Noon.", [],
    ),
    "thoughts that the prompt ends": (None, "qwen3", f"{ASKED}<think>\n\n</think>\n\n", "Ada.", "Ada.", None, []),
    "a malformed call": (
        "hermes", None, ASKED, "<tool_call>{</tool_call>!<|im_end|>", "<tool_call>{</tool_call>!", None, [],
    ),
    "a call that is cut": ("hermes", None, ASKED, '<tool_call>{"name": "x', '<tool_call>{"name": "x', None, []),
    "marks of another kind": ("hermes", None, ASKED, "a < b, <b>c</b><|im_end|>", "a < b, <b>c</b>", None, []),
    "bare calls": (
        "llama3_json", None, ASKED, f'{CALL}; {CALL.replace("arguments", "parameters")}<|eot_id|>',
        "", None, [PORCH, PORCH],
    ),
    "a bare call after its mark": ("llama3_json", None, ASKED, f"<|python_tag|>{CALL}<|eot_id|>", "", None, [PORCH]),
    "an object that is no call": ("llama3_json", None, ASKED, '{"answer": 5}<|eot_id|>', '{"answer": 5}', None, []),
    "a list of calls": ("mistral", None, ASKED, f"[TOOL_CALLS] [{CALL}, {CALL}]</s>", "", None, [PORCH, PORCH]),
    "a named call": (
        "mistral", None, ASKED, 'Sure. [TOOL_CALLS]porch[ARGS]{"side": "lee"}</s>', "Sure. ", None, [PORCH],
    ),
}  # fmt: skip


def test_answers_are_split_alike_whole_and_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "cases.json").write_text(json.dumps([case[:4] for case in CASES.values()]))
    printed = in_trainer(SCRIPTS / "split_answers.py", [str(PROJECT), str(tmp_path / "cases.json")])
    for (name, case), found in zip(CASES.items(), json.loads(printed.splitlines()[-1]), strict=True):
        *_, text, thoughts, calls = case
        expected = {"content": text, "thinking": thoughts, "tool_calls": [{"function": call} for call in calls]}
        assert found == [expected] * 3, name


TEMPLATE = """{%- if tools -%}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}{% endfor %}<|im_end|>
{% endif -%}
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{{ message.content }}
{%- for call in message.tool_calls or [] -%}
<tool_call>{{ {"name": call.function.name, "arguments": call.function.arguments} | tojson }}</tool_call>
{%- endfor -%}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}"""
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Look at a place",
        "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
    },
}


RUN = ("recipe=tiny.yaml", "evals=[]", "dataset.ignore_columns=[]")


def row(number: int) -> dict[str, Any]:
    function = {"name": "look", "arguments": json.dumps({"at": f"door {number}"})}
    calls = [{"id": "c1", "type": "function", "function": function}]
    messages = [
        {"role": "user", "content": f"Who is at door {number}?"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "Ada"},
        {"role": "assistant", "content": "It is Ada."},
    ]
    return {"tools": [TOOL], "messages": messages}


@pytest.fixture(scope="module")
def trained(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    with closing(Workplace(tmp_path_factory.mktemp("tools"), in_process=True)) as workplace:
        train = {"max_steps": 2, "chat_template": "jinja", "chat_template_jinja": TEMPLATE}
        tiny_recipe(
            workplace.folder,
            tiny,
            train=train,
            serve={"tool_parser": "hermes"},
            stages=["fetch", "format", "tokenize", "train", "merge", "parity"],
        )
        for name, numbers in (("train.jsonl", range(20)), ("held_out.jsonl", range(20, 30))):
            (workplace.folder / name).write_text("".join(json.dumps(row(number)) + "\n" for number in numbers))
        workplace.run(*RUN)
        yield workplace


def ask(told: dict[str, str], **body: Any) -> tuple[int, str]:
    body = {"model": "tuned", "max_tokens": 8, "messages": row(0)["messages"][:3], **body}
    headers = {"Authorization": f"Bearer {told['key']}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{told['url']}/chat/completions", json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.slow
def test_the_run_proposes_and_checks_the_parser(trained: Workplace) -> None:
    notes = [str(event.get("text")) for event in trained.events()]
    assert any("serve.tool_parser=hermes" in note for note in notes)
    results = read_json(trained.runs()[-1] / "run.json")["results"]
    assert results["parity:answers"]["metrics"]["parsers"] == {"tool_parser": "hermes"}
    started = trained.calls("call_started")
    assert started.index("parity:answers") < started.index("train")


@pytest.mark.slow
def test_requests_with_tools_are_answered(trained: Workplace) -> None:
    with server(trained, "last", "serve.engine=transformers") as (_, told):
        status, text = ask(told, tools=[TOOL])
        assert status == 200, text
        assert json.loads(text)["choices"][0]["message"]["role"] == "assistant"
        tokens = json.loads(text)["usage"]["prompt_tokens"]
        assert tokens > json.loads(ask(told)[1])["usage"]["prompt_tokens"]  # the template renders the tools
        status, text = ask(told, tools=[TOOL], stream=True)
        assert (status, text.rstrip().endswith("data: [DONE]")) == (200, True)
        assert ask(told, tools=[TOOL], tool_choice="none")[0] == 200
        status, text = ask(told, tools=[TOOL], tool_choice="required")
        assert (status, "tool_choice" in text) == (400, True)


@pytest.mark.slow
def test_a_server_without_a_parser_names_the_option(trained: Workplace) -> None:
    with server(trained, "last", "serve.engine=transformers", "serve.tool_parser=null") as (_, told):
        status, text = ask(told, tools=[TOOL])
        assert status == 400
        assert "serve.tool_parser=hermes" in json.loads(text)["error"]["message"]
        assert ask(told)[0] == 200


@pytest.mark.slow
def test_a_wrong_parser_stops_the_run(trained: Workplace) -> None:
    ended = trained.run(*RUN, "serve.tool_parser=mistral", expected=2)
    assert "set serve.tool_parser=hermes" in ended.err
    assert "parity:answers" in trained.calls("call_failed")
