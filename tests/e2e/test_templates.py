"""Real chat templates: the prompt is what the tokenizer's own gives, and the assistant's turns alone are trained.

The templates are files of packages in the trainer's environment, all tried in one process. Where the trainer cannot do
it, the stage says so and trains nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpers.workplace import PROJECT, SCRIPTS, in_trainer, trainer_python

pytestmark = pytest.mark.e2e

FOLDERS = {"axolotl": "axolotl/utils/chat_templates/templates", "trl": "trl/chat_templates"}
# Marks that a template writes as single tokens of its model; the tiny model's tokenizer gets them, too.
MARKS = re.compile(
    r"<\|[A-Za-z_0-9]+\|>|<[a-z]+_of_turn>|<\|turn>|<turn\|>|\[\|[a-z]+\|\]|<\uff5c[^\uff5c]+\uff5c>|\[/?INST\]"
)
OWN = {"<|im_start|>", "<|im_end|>", "<|endoftext|>"}  # of that tokenizer
EQUAL = "equal"
NO_THOUGHTS = "equal without thoughts of the assistant"
NO_SPACES = "equal without white space at the ends of answers of the assistant"
NO_SYSTEM = "equal without system prompts"


@dataclass(frozen=True)
class Template:
    """What ends a turn besides the tokenizer's own end, and what becomes of conversations: by default all are equal."""

    ends: tuple[str, ...] = ()
    plain: str = EQUAL
    system: str = EQUAL
    tools: str = EQUAL
    spaces: str = EQUAL
    thoughts: str = NO_THOUGHTS

    @property
    def expected(self) -> Mapping[str, str]:
        return {
            "turns": self.plain,
            "one turn": self.plain,
            "system": self.system,
            "tools": self.tools,
            "spaces": self.spaces if self.plain == EQUAL else self.plain,
            "thoughts": self.thoughts if self.plain == EQUAL else self.plain,
        }


NO_CALLS = "the chat template leaves out tool calls"
NO_TOOLS = "the chat template cannot render the row"
MORE = "with this chat template, the trainer would train on more than tool calls"
MARK = "with this chat template, the trainer does not train '<|END_RESPONSE|>' between an answer and its end"
NO_END = "the end of the assistant's turn is not trained"
ANOTHER_END = "with this chat template, turns end with <|return|>, which is not trained"

TEMPLATES: Mapping[str, Template] = {
    "axolotl/chatml": Template(tools=NO_CALLS),
    "axolotl/llama3": Template(("<|eot_id|>",), tools=NO_CALLS, spaces=NO_SPACES),
    "axolotl/llama3_2_vision": Template(("<|eot_id|>",)),
    "axolotl/llama4": Template(("<|eot|>",)),
    "axolotl/gemma": Template(
        ("<end_of_turn>",), system="the chat template cannot render the row", tools=NO_TOOLS, spaces=NO_SPACES
    ),
    "axolotl/gemma3": Template(("<end_of_turn>",), tools=NO_TOOLS, spaces=NO_SPACES),
    "axolotl/gemma4": Template(("<turn|>",), tools=MORE, spaces=NO_SPACES),
    "axolotl/mistral_v1": Template(tools=NO_TOOLS),
    "axolotl/mistral_v2v3": Template(system=NO_SYSTEM, tools=NO_TOOLS, spaces=NO_SPACES),
    "axolotl/deepseek_v3": Template(("<\uff5cend\u2581of\u2581sentence\uff5c>",), tools=NO_TOOLS),
    "axolotl/mistral_v3_tekken": Template(system=NO_SYSTEM, tools=NO_TOOLS),
    "axolotl/mistral_v7_tekken": Template(tools=NO_TOOLS),
    "axolotl/phi_4": Template(tools=NO_CALLS),
    "axolotl/qwen_25": Template(),
    "axolotl/qwen3": Template(),
    "axolotl/exaone4": Template(("[|endofturn|]",)),
    "axolotl/falcon_h1": Template(tools=NO_CALLS),
    "axolotl/command_a": Template(("<|END_OF_TURN_TOKEN|>",), MARK, MARK, MARK),
    "axolotl/llava": Template((), NO_END, NO_END, NO_CALLS),
    "trl/deepseek_r1_distill": Template(("<\uff5cend\u2581of\u2581sentence\uff5c>",), tools=NO_CALLS),
    "trl/llama3_1": Template(("<|eot_id|>",), spaces=NO_SPACES),
    "trl/phi3": Template(("<|end|>",), tools=NO_CALLS),
    "trl/qwen2_5": Template(),
    "trl/qwen3_instruct_2507": Template(),
    "trl/lfm2_2_5": Template(),
    "trl/nemotron_3_nano": Template(spaces=NO_SPACES),
    "trl/glm4moe": Template(("<|user|>",), NO_END, NO_END, NO_END),
    "trl/gptoss": Template(("<|end|>",), ANOTHER_END, ANOTHER_END, ANOTHER_END),
    "trl/idefics3": Template((), *["the chat template leaves out answers of the assistant"] * 3),
}


def asked(name: str, template: Template, site: Path) -> dict[str, Any]:
    package, _, stem = name.partition("/")
    file = site / FOLDERS[package] / f"{stem}.jinja"
    marks = set(MARKS.findall(file.read_text())) | set(template.ends)
    trainer: dict[str, Any] = {"tokens": sorted(marks - OWN)}
    if template.ends:
        trainer["eot_tokens"] = list(template.ends)
    return {"name": name, "file": str(file), "trainer": trainer}


@pytest.fixture(scope="module")
def outcomes(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("templates")
    (site,) = Path(trainer_python()).parents[1].glob("lib/python*/site-packages")
    (folder / "asked.json").write_text(
        json.dumps(
            {
                "packages": [str(PROJECT / "runner"), str(PROJECT / "plugins")],
                "tokenizer": str(tiny),
                "work": str(folder),
                "templates": [asked(name, template, site) for name, template in TEMPLATES.items()],
            }
        )
    )
    output = in_trainer(SCRIPTS / "render_templates.py", [str(folder / "asked.json")], seconds=600)
    found: dict[str, dict[str, str]] = json.loads(output.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_rendered_and_masked_exactly_or_refused(name: str, outcomes: dict[str, dict[str, str]]) -> None:
    for conversation, expected in TEMPLATES[name].expected.items():
        outcome = outcomes[name][conversation]
        is_expected = outcome == expected or outcome.startswith(f"refused: {expected}")
        assert is_expected, (conversation, outcome)


def test_a_dozen_are_exact(outcomes: dict[str, dict[str, str]]) -> None:
    exact = [name for name, found in outcomes.items() if found["turns"] == EQUAL]
    with_tools = [name for name, found in outcomes.items() if found["tools"] == EQUAL]
    assert len(exact) >= 12
    assert len(with_tools) >= 5


# Templates of axolotl whose end of turn is trained only with `eot_tokens`, and the tokens that ftrun proposes.
WITHOUT_END: Mapping[str, list[str]] = {
    "axolotl/aya": ["<|END_OF_TURN_TOKEN|>"],
    "axolotl/cohere": ["<|END_OF_TURN_TOKEN|>"],
    "axolotl/command_a": ["<|END_RESPONSE|>"],
    "axolotl/command_a_rag": ["<|END_RESPONSE|>"],
    "axolotl/command_a_tool_use": ["<|END_RESPONSE|>"],
    "axolotl/deepseek_v3": ["<\uff5cend\u2581of\u2581sentence\uff5c>"],
    "axolotl/exaone": ["[|endofturn|]"],
    "axolotl/exaone4": ["[|endofturn|]"],
    "axolotl/gemma": ["<end_of_turn>"],
    "axolotl/gemma3": ["<end_of_turn>"],
    "axolotl/gemma3n": ["<end_of_turn>"],
    "axolotl/gemma4": ["<turn|>"],
    "axolotl/gemma4_unified": ["<turn|>"],
    "axolotl/jamba": ["<|eom|>"],
    "axolotl/llama3": ["<|eot_id|>"],
    "axolotl/llama3_2_vision": ["<|eot_id|>"],
    "axolotl/llama4": ["<|eot|>"],
    "axolotl/phi_3": ["<|end|>"],
    "axolotl/phi_35": ["<|end|>"],
}


@pytest.mark.slow
def test_a_template_whose_end_is_not_trained_gets_the_tokens_that_train_it(tiny: Path, tmp_path: Path) -> None:
    (site,) = Path(trainer_python()).parents[1].glob("lib/python*/site-packages")
    files = {f"axolotl/{file.stem}": Template() for file in sorted((site / FOLDERS["axolotl"]).glob("*.jinja"))}

    def outcomes_of(cases: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
        packages = [str(PROJECT / "runner"), str(PROJECT / "plugins")]
        values = {"packages": packages, "tokenizer": str(tiny), "work": str(tmp_path), "templates": cases}
        (tmp_path / "asked.json").write_text(json.dumps(values))
        output = in_trainer(SCRIPTS / "render_templates.py", [str(tmp_path / "asked.json")], seconds=600)
        found: dict[str, dict[str, str]] = json.loads(output.splitlines()[-1])
        return found

    cases = {name: asked(name, template, site) for name, template in files.items()}
    ends = re.compile(r"hint: set 'train\.eot_tokens=(\[.*\])'")
    found = outcomes_of(list(cases.values()))
    proposed = {name: json.loads(hint[1]) for name in cases if (hint := ends.search(found[name]["turns"]))}
    assert proposed == WITHOUT_END
    again = []
    for name, tokens in proposed.items():
        cases[name]["trainer"]["eot_tokens"] = tokens
        again.append(cases[name])
    assert {name: found["turns"] for name, found in outcomes_of(again).items()} == dict.fromkeys(proposed, EQUAL)
