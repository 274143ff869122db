"""Everything that can be wrong with a recipe is told with its place, what was expected, and the nearest name."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path

import pytest

from ftrun.api.config_dirs import ConfigFolders, own_folders
from ftrun.api.errors import InvalidInput, Problem
from ftrun.cli.hydra_flags import expand_sweep
from ftrun.plugins.manager import plugins
from ftrun.recipe.compose import compose
from ftrun.recipe.load import Loaded, load
from helpers.catalogue.case import is_about

# The small valid recipe has 12 lines: what a case adds begins on line 13.
Loading = Callable[..., Loaded]


@dataclass(frozen=True)
class Bad:
    """One mistake, and what has to be said about it."""

    name: str
    reason: str  # the error code, and after a space what the message has to name
    where: str  # is the problem's place
    more: str = ""
    overrides: tuple[str, ...] = ()
    nearest: str | None = None  # is the first of the nearest names
    expected: str | None = None  # is in what was expected
    do: str | None = None  # is in the advice


KEYS = [
    Bad("top level", "unknown-key trian", "mine.yaml:13:1", "trian: {}\n", nearest="train"),
    Bad("trainer key", "unknown-key num_epoch", "mine.yaml:13:3", "  num_epoch: 2\n", nearest="num_epochs"),
    Bad(
        "key of a group", "unknown-key model.base_mdel", "mine.yaml:14:3", "model:\n  base_mdel: x\n",
        nearest="base_model", expected="context_length",
    ),
    Bad(
        "model.weights", "unknown-key model.weights.fil", "mine.yaml:15:5", "model:\n  weights:\n    fil: x\n", nearest="file"
    ),
    Bad(
        "kind of weights", "invalid-value model.weights.origin", "mine.yaml:15:5",
        "model:\n  weights:\n    origin: packge\n", nearest="package", expected="one of hub, folder, package",
    ),
    Bad(
        "option of the source", "unknown-key dataset.source.pathh", "mine.yaml:15:5",
        "dataset:\n  source:\n    pathh: x\n", nearest="path", expected="one of encoding, path",
    ),
    Bad(
        "name of the source", "unknown-name jsonll", "mine.yaml:15:5",
        "dataset:\n  source:\n    name: jsonll\n", nearest="jsonl", expected="one of csv, hub, json, jsonl, ",
    ),
    Bad(
        "option of the formatter", "unknown-key dataset.formatter.mesages", "override dataset.formatter.mesages=x",
        overrides=("dataset.formatter.mesages=x",), nearest="messages",
    ),
    Bad(
        "name of the formatter", "unknown-name chatt", "override dataset.formatter.name=chatt",
        overrides=("dataset.formatter.name=chatt",), nearest="chat", expected="one of alpaca, auto, chat, ",
    ),
    Bad(
        "split", "unknown-key dataset.split.heldout", "mine.yaml:14:11", "dataset:\n  split: {heldout: 0.1}\n", nearest="held_out"
    ),
    Bad(
        "key of axolotl's dataset entry", "unknown-key train_on_eoss", "override dataset.trainer.train_on_eoss=all",
        overrides=("dataset.trainer.train_on_eoss=all",), nearest="train_on_eos",
    ),
    Bad(
        "key in an optimization", "unknown-key lora_rr", "mine.yaml:15:5",
        "optimizations:\n  lora:\n    lora_rr: 3\n", nearest="lora_r",
    ),
    Bad(
        "key in an optimization, by override", "unknown-key lora_rr", "override optimizations.lora.lora_rr=3",
        overrides=("optimizations.lora.lora_rr=3",), nearest="lora_r",
    ),
    Bad(
        "key in an optimization that the recipe holds itself", "unknown-key neftune_noise", "mine.yaml:14:11",
        "optimizations:\n  noise: {neftune_noise: 5}\n", nearest="neftune_noise_alpha",
    ),
    Bad(
        "key below a trainer key", "unknown-key peft.loftq_config.loftq_bit", "mine.yaml:14:20",
        "  peft:\n    loftq_config: {loftq_bit: 4}\n", nearest="loftq_bits",
    ),
    Bad(
        "option of an evaluation", "unknown-key evals.exact_match.igore_case", "mine.yaml:14:17",
        "evals:\n  exact_match: {igore_case: true}\n", nearest="ignore_case",
    ),
    Bad(
        "key of a gate", "unknown-key evals.exact_match.gate.mn", "override evals.exact_match.gate.mn=1",
        overrides=("evals.exact_match.gate.mn=1",), nearest="min", expected="min_gain_over_base",
    ),
    Bad(
        "name of an evaluator", "unknown-name exact_mtch", "override evals.exact_match.evaluator=exact_mtch",
        overrides=("evals.exact_match.evaluator=exact_mtch",), nearest="exact_match",
    ),
    Bad(
        "resources of no stage", "unknown-name trian", "override resources.trian.gpu=1",
        overrides=("resources.trian.gpu=1",), nearest="train",
    ),
    Bad(
        "key of resources", "unknown-key resources.train.gpus", "mine.yaml:14:11", "resources:\n  train: {gpus: 2}\n",
        nearest="gpu",
    ),
    Bad("stage", "unknown-name tokenise", "mine.yaml:13:17", "stages: [fetch, tokenise]\n", nearest="tokenize"),
    Bad(
        "backend", "unknown-name loca", "override backend.name=loca",
        overrides=("backend.name=loca",), nearest="local",
    ),
    Bad("option of the backend", "unknown-key backend.x", "override backend.x=1", overrides=("backend.x=1",)),
    Bad(
        "key of an environment", "unknown-key environment.trainer.pyton", "override environment.trainer.pyton=3",
        overrides=("environment.trainer.pyton=3",), nearest="python",
        expected="one of image, lock, preload, python, variables",
    ),
    Bad("key that is a number", "unknown-key generate.1", "mine.yaml:13:12", "generate: {1: 2}\n", expected="batch_size"),
    Bad("key that is a word for true", "unknown-key generate.true", "mine.yaml:13:1", "generate: {yes: 2}\n"),
    Bad("override of nothing", "unknown-key nothing", "override nothing.x=3", overrides=("nothing.x=3",)),
    Bad(
        "override of nothing below a part", "unknown-key generate.nothing", "override generate.nothing=3",
        overrides=("generate.nothing=3",), expected="max_new_tokens",
    ),
    Bad("taking out nothing", "unknown-key train.nothing", "override ~train.nothing", overrides=("~train.nothing",)),
    Bad("a name of its own", "reserved-key", "mine.yaml:13:1", "name: other\n"),
]  # fmt: skip

CHOICES = [
    Bad("unknown group by override", "unknown-key modl", "override modl=x", overrides=("modl=x",), nearest="model"),
    Bad(
        "unknown option by override", "unknown-name smollm2_135m", "override model=smollm2_135m",
        overrides=("model=smollm2_135m",), nearest="smollm2_135m_instruct", expected="codellama_7b_instruct",
    ),
    Bad(
        "unknown optimization by override", "unknown-name zero33", "override optimizations=[lora,zero33]",
        overrides=("optimizations=[lora,zero33]",), nearest="zero3", expected="one of ",
    ),
    Bad(
        "option that is no name", "invalid-override", "override model=5",
        overrides=("model=5",), expected="NAME",
    ),
    Bad("option added twice", "invalid-defaults model", "override +model=smollm2_135m_instruct",
        overrides=("+model=smollm2_135m_instruct",), expected="override /model"),
    Bad(
        "key of an optimization that is not chosen", "unknown-name qlora",
        "override optimizations.qlora.x=1",
        overrides=("optimizations.qlora.x=1",), expected="one of lora", do="optimizations=[lora,qlora]",
    ),
    Bad(
        "key of no optimization", "unknown-name lorra", "override optimizations.lorra.lora_r=1",
        overrides=("optimizations.lorra.lora_r=1",), nearest="lora",
    ),
    Bad(
        "gate on an evaluation that is not chosen", "unknown-name sql_execution", "mine.yaml:14:3",
        "evals:\n  sql_execution: {gate: {min: 0.5}}\n", do="evals=[exact_match,sql_execution]",
    ),
    Bad(
        "gate on no evaluation", "unknown-name exact_mtch", "override evals.exact_mtch.gate.min=0.5",
        overrides=("evals.exact_mtch.gate.min=0.5",), nearest="exact_match",
    ),
    Bad("unset value", "missing-key dataset.source.path", "jsonl_chat.yaml:2:23",
        overrides=("dataset=jsonl_chat",), do="dataset.source.path=…"),
]  # fmt: skip

TYPES = [
    Bad(
        "text for a number", "invalid-value learning_rate", "override train.learning_rate=fast",
        overrides=("train.learning_rate=fast",), expected="a number",
    ),
    Bad(
        "list for a number", "invalid-value num_epochs", "override train.num_epochs=[1]",
        overrides=("train.num_epochs=[1]",),
    ),
    Bad(
        "nothing for a number", "invalid-value learning_rate", "override train.learning_rate=",
        overrides=("train.learning_rate=",),
    ),
    Bad(
        "infinity", "invalid-value train.learning_rate", "override train.learning_rate=inf",
        overrides=("train.learning_rate=inf",),
    ),
    Bad("a path outside", "invalid-value model.weights.file", "override model.weights.file=../../x",
        overrides=("model.weights.file=../../x",), expected="without `..`"),
    Bad("not a number in a list of mappings", "invalid-value train.lr_groups[0].lr", "mine.yaml:13:25",
        "  lr_groups: [{name: a, lr: .nan}]\n"),
    Bad("more than 64 bits", "invalid-value 67 bits", "override train.max_steps=99999999999999999999",
        overrides=("train.max_steps=99999999999999999999",)),
    Bad("negative seed", "invalid-value dataset.split.seed", "override dataset.split.seed=-1",
        overrides=("dataset.split.seed=-1",)),
    Bad("more processes than any machine", "invalid-value 99999", "override resources.train.processes=99999",
        overrides=("resources.train.processes=99999",), expected="4096"),
    Bad("not a number", "invalid-value generate.temperature", "mine.yaml:13:12", "generate: {temperature: .nan}\n"),
    Bad("out of range", "invalid-value generate.max_new_tokens", "mine.yaml:14:3", "generate:\n  max_new_tokens: 0\n",
        expected="greater than 0"),
    Bad("GPUs below zero", "invalid-value resources.train.gpu", "override resources.train.gpu=-1",
        overrides=("resources.train.gpu=-1",), expected="a count from 0 to 4096, a kind such as `H100`"),
    Bad("no GPU of a kind", "invalid-value resources.train.gpu", "override resources.train.gpu='H100:0'",
        overrides=("resources.train.gpu='H100:0'",), expected="`H100:2`"),
    Bad("a GPU without a name", "invalid-value resources.train.gpu", "mine.yaml:14:11",
        "resources:\n  train: {gpu: ''}\n", expected="`H100:2`"),
    Bad("no kinds of GPU", "invalid-value resources.train.gpu", "override resources.train.gpu=[]",
        overrides=("resources.train.gpu=[]",), expected="a list of kinds"),
    Bad("a kind that counts wrong", "invalid-value resources.train.gpu",
        "override resources.train.gpu=['H100:2','H200:-2']",
        overrides=("resources.train.gpu=['H100:2','H200:-2']",), expected="a list of kinds"),
    Bad("a seed that vLLM reads as none", "invalid-value generate.seed", "override generate.seed=-1",
        overrides=("generate.seed=-1",), expected="greater than or equal to 0"),
    Bad("a price below zero", "invalid-value backend.prices.gpu.H100", "override backend.prices.gpu.H100=-1",
        overrides=("backend=modal", "backend.prices.gpu.H100=-1"), expected="greater than or equal to 0"),
    Bad("a core that costs less than nothing", "invalid-value backend.prices.cpu", "override backend.prices.cpu=-0.1",
        overrides=("backend=modal", "backend.prices.cpu=-0.1"), expected="greater than or equal to 0"),
    Bad("a limit of no rows", "invalid-value dataset.limit", "override dataset.limit=0", overrides=("dataset.limit=0",),
        expected="greater than 0"),
    Bad("text for a whole number", "invalid-value generate.seed", "override generate.seed=x",
        overrides=("generate.seed=x",), expected="a valid integer"),
    Bad("word", "invalid-value dataset.on_bad_row", "override dataset.on_bad_row=ignore",
        overrides=("dataset.on_bad_row=ignore",), expected="'stop' or 'skip'"),
    Bad("number for a mapping", "invalid-value model", "mine.yaml:13:1", "model: 5\n"),
    Bad("text for a list", "invalid-value stages", "mine.yaml:13:1", "stages: fetch\n"),
    Bad("list for a mapping", "invalid-recipe", "mine.yaml:13:1", "optimizations: [lora]\n", do="`defaults:`"),
    Bad("number for the trainer's keys", "invalid-value train", "override train=5", overrides=("train=5",)),
]  # fmt: skip

RULES = [
    Bad(
        "minimum of a loss",
        "invalid-value held_out_loss",
        "override evals.held_out_loss.gate.min=1",
        overrides=("evals=[held_out_loss]", "evals.held_out_loss.gate.min=1"),
        do="evals.held_out_loss.gate.max",
    ),
    Bad("a split of axolotl's own", "reserved-key val_set_size", "override train.val_set_size=0.1",
        overrides=("train.val_set_size=0.1",), do="dataset.split"),
    Bad("a folder of axolotl's own", "reserved-key output_dir", "override train.output_dir=x",
        overrides=("train.output_dir=x",), do="store"),
    Bad("data in the trainer's keys", "reserved-key datasets", "mine.yaml:15:5",
        "model:\n  trainer:\n    datasets: []\n", do="dataset.trainer"),
    Bad("the model in an optimization", "reserved-key base_model", "mine.yaml:14:10",
        "optimizations:\n  mine: {base_model: x}\n", do="`model`"),
    Bad("too long a sequence", "invalid-value sequence_len",
        "override train.sequence_len=9000",
        overrides=("train.sequence_len=9000",), expected="at most 8192"),
    Bad("a key without its plugin", "no-effect liger_rope", "override train.liger_rope=true",
        overrides=("train.liger_rope=true",), expected="axolotl.integrations.liger.LigerPlugin"),
    Bad("an adapter that vLLM cannot serve", "unsupported-key lora_modules_to_save",
        "override train.lora_modules_to_save=[lm_head]",
        overrides=("serve=vllm_adapter", "train.lora_modules_to_save=[lm_head]"), do="merge"),
    Bad("too high a rank for vLLM", "unsupported-key lora_r", "override optimizations.lora.lora_r=1024",
        overrides=("serve=vllm_adapter", "optimizations.lora.lora_r=1024"), do="lora_r"),
    Bad("an adapter without merge that vLLM is to answer with", "unsupported-key tokens",
        "override train.tokens=[more]",
        overrides=("stages=[fetch,format,tokenize,train,generate,score,evaluate]", "train.tokens=[more]",
                   "evals=[exact_match]"), do="merge"),
    Bad("too long a context to serve", "invalid-value serve.max_model_len", "override serve.max_model_len=9000",
        overrides=("serve.max_model_len=9000",), expected="at most 8192"),
    Bad("a host with its scheme", "invalid-value serve.allowed_hosts", "override serve.allowed_hosts=[https://a.example]",
        overrides=("serve.allowed_hosts=[https://a.example]",), expected="without scheme"),
    Bad("the only checkpoint", "invalid-value save_total_limit", "override train.save_total_limit=1",
        overrides=("train.save_total_limit=1",), expected="2 or more"),
    Bad("evaluations without rows", "conflicting-keys eval_steps", "override train.eval_steps=5",
        overrides=("dataset.held_out=null", "train.eval_steps=5"), do="dataset.split.held_out"),
    Bad("two ways to hold rows out", "conflicting-keys dataset.held_out", "override dataset.split.held_out=0.1",
        overrides=("dataset.split.held_out=0.1",)),
]  # fmt: skip

INTERPOLATIONS = [
    Bad("of the environment", "invalid-interpolation oc.env", "mine.yaml:14:3", "model:\n  base_model: ${oc.env:HOME}\n", do="secrets"),
    Bad("to nothing", "invalid-interpolation model.nope", "mine.yaml:14:3", "model:\n  base_model: ${model.nope}\n"),
    Bad("cut off", "invalid-interpolation", "mine.yaml:14:3", "model:\n  base_model: ${model.\n", expected="${KEY"),
    Bad("to itself", "invalid-interpolation", "mine.yaml:14:3", "model:\n  base_model: ${model.base_model}\n"),
    Bad("by override", "invalid-interpolation oc.env", "override model.base_model=${oc.env:HOME}",
        overrides=("model.base_model=${oc.env:HOME}",)),
]  # fmt: skip

OVERRIDES = [
    Bad("no value", "invalid-override", "override train.x", overrides=("train.x",), expected="KEY=VALUE"),
    Bad("no key", "invalid-override", "override =3", overrides=("=3",), expected="KEY=VALUE"),
    Bad("cut off", "invalid-override", "override train.x=[1,", overrides=("train.x=[1,",)),
    Bad("a sweep without -m", "invalid-override", "override train.learning_rate=1,2",
        overrides=("train.learning_rate=1,2",), do="-m"),
    Bad("Hydra's own key", "unknown-key hydra.nope", "override hydra.nope=1", overrides=("hydra.nope=1",)),
]  # fmt: skip

YAML = [
    Bad("an open bracket", "invalid-yaml", "mine.yaml:14:1", "a: [1\n", do="indentation"),
    Bad("two colons", "invalid-yaml", "mine.yaml:13:5", "a: b: c\n"),
    Bad("a tab", "invalid-yaml", "mine.yaml:14:1", "a:\n\tb: 3\n"),
    Bad("a key twice", "invalid-yaml generate", "mine.yaml:14:1", "generate: {seed: 1}\ngenerate: {seed: 2}\n"),
    Bad("an inner key twice", "invalid-yaml seed", "mine.yaml:15:3", "generate:\n  seed: 1\n  seed: 2\n"),
    Bad("two documents", "invalid-yaml", "mine.yaml:13:1", "---\na: 1\n"),
    Bad("a foreign tag", "invalid-yaml python/object", "mine.yaml:13:4", "a: !!python/object/apply:os.getcwd []\n"),
    Bad("an alias in its own anchor", "invalid-yaml", "mine.yaml:13:4", "a: &a [*a]\n"),
    Bad("deep nesting", "invalid-yaml", "mine.yaml:13:", "a: " + "[" * 60 + "]" * 60 + "\n"),
    Bad("very deep nesting", "invalid-yaml", "mine.yaml", "a: " + "[" * 5000 + "]" * 5000 + "\n"),
    Bad("2 MB", "too-large", "mine.yaml", "# " + "x" * 2_000_000 + "\n"),
    Bad(
        "an alias bomb", "too-large", "mine.yaml:17:",
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefg", "bcdefgh", strict=True)
        ),
    ),
]  # fmt: skip

PLACES = [
    Bad("interpolation in a list", "invalid-interpolation nope", "mine.yaml:14:7", "  lr_groups:\n    - lr: ${nope}\n"),
    Bad(
        "interpolation in a mapping of an override",
        "invalid-interpolation nope",
        "override train.x={a:${nope}}",
        overrides=("train.x={a:${nope}}",),
    ),
    Bad(
        "interpolation as an option",
        "invalid-interpolation nope",
        "override model=${nope}",
        overrides=("model=${nope}",),
    ),
    Bad("list for a mapping in an override", "invalid-recipe list", "override train=[1]", overrides=("train=[1]",)),
    Bad("list for a mapping below a section", "invalid-recipe list", "mine.yaml:14:3", "dataset:\n  source: [1]\n"),
    Bad("null as a key", "invalid-yaml null", "mine.yaml:13:3", "  null: 3\n"),
    Bad("number of many digits", "too-large 5,000", "mine.yaml:13:9", f"  seed: {'9' * 5000}\n"),
    Bad(
        "number of many digits in an override",
        "too-large 5,000",
        "override train.seed=",
        overrides=(f"train.seed={'9' * 5000}",),
    ),
    Bad(
        "required value in a list",
        "missing-key train.lr_groups[0].lr",
        "mine.yaml:14:31",
        "  lr_groups:\n    - {name: a, modules: [q], lr: '???'}\n",
    ),
    Bad("no option", "missing-key model", "override model=???", overrides=("model=???",)),
]
HYDRA = [
    Bad("its key", "reserved-key Hydra", "mine.yaml:13:1", "hydra:\n  run: {dir: x}\n"),
]
ALL = {
    "places": PLACES, "Hydra": HYDRA,
    "keys": KEYS, "choices": CHOICES, "types": TYPES, "rules": RULES, "interpolations": INTERPOLATIONS,
    "overrides": OVERRIDES, "yaml": YAML,
}  # fmt: skip


@pytest.mark.parametrize(
    "bad", [pytest.param(bad, id=f"{kind}: {bad.name}") for kind, group in ALL.items() for bad in group]
)
def test_a_mistake_is_refused_with_its_place_and_what_was_meant(bad: Bad, loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(*bad.overrides, more=bad.more)
    assert caught.value.exit_code == 2
    problem = _the_problem(caught.value.problems, bad.reason)
    assert bad.where in (problem.at or "").split(" and ")[0]
    assert bad.expected is None or bad.expected in (problem.expected or "")
    assert bad.do is None or bad.do in (problem.hint or "")
    assert bad.nearest is None or problem.did_you_mean[:1] == (bad.nearest,)


def _the_problem(problems: tuple[Problem, ...], reason: str) -> Problem:
    matching = [problem for problem in problems if is_about(problem.code, problem.what, reason)]
    assert len(matching) == 1, [(problem.code, problem.what) for problem in problems]
    return matching[0]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(b"train: {}\n# caf\xe9\n", "invalid-encoding byte 0xe9", id="latin-1"),
        pytest.param(bytes(range(256)) * 10, "invalid-encoding", id="binary"),
        pytest.param("train: {}\n".encode("utf-16"), "invalid-encoding", id="UTF-16"),
        pytest.param("train: {}\n".encode("utf-16-le"), "invalid-encoding", id="UTF-16 without a mark"),
        pytest.param(b"train: {}\n\x00", "invalid-yaml", id="a zero byte"),
        pytest.param(b"- a\n", "invalid-recipe", id="a list"),
        pytest.param(b"hello\n", "invalid-recipe", id="a text"),
        pytest.param(b"defaults: x\n", "invalid-defaults", id="defaults that are a text"),
        pytest.param(b"defaults: [5]\n", "invalid-defaults", id="a number among the defaults"),
        pytest.param(b"defaults: [{a: {b: 3}}]\n", "invalid-defaults", id="a mapping of mappings"),
        pytest.param(b"defaults: [/recipe: mine]\n", "invalid-defaults", id="itself, by its group"),
        pytest.param(b"defaults: [mine]\n", "invalid-defaults", id="itself, by name"),
        pytest.param(b"null: 2\n", "invalid-yaml", id="a key that is null"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_by_name(content: bytes, what: str, folder: Path) -> None:
    (folder / "mine.yaml").write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        load(["recipe=mine.yaml"], plugins())
    (problem,) = caught.value.problems
    assert is_about(problem.code, problem.what, what)
    assert (problem.at or "").startswith("mine.yaml")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("# Prüfung für Köln\ntrain: {}\n", "cp1252"), ("train: {}\n", "utf-16"), ("# これは質問です。\n", "cp932")],
)
def test_a_recipe_in_another_encoding_is_converted_by_the_command_of_the_message(
    text: str, encoding: str, folder: Path
) -> None:
    (folder / "mine.yaml").write_bytes(text.encode(encoding))
    with pytest.raises(InvalidInput) as caught:
        load(["recipe=mine.yaml"], plugins())
    (problem,) = caught.value.problems
    assert (problem.code, problem.at) == ("invalid-encoding", "mine.yaml:1")
    command = (problem.hint or "").partition("convert it: ")[2]
    subprocess.run(["/bin/sh", "-c", command], check=True, cwd=folder)
    assert (folder / "mine.utf-8.yaml").read_text("utf-8") == text


def test_a_recipe_without_a_model_says_so_and_names_the_file(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(text="")
    assert [(problem.code, problem.what.split("`")[1], problem.at) for problem in caught.value.problems] == [
        ("missing-key", "model", "mine.yaml"),
        ("missing-key", "dataset", "mine.yaml"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "what", "where", "near"),
    [
        pytest.param("/model", "/modle", "unknown-name modle", "mine.yaml:2:5", "model", id="group"),
        pytest.param(
            "smollm2_135m_instruct", "smolm2_135m_instruct", "unknown-name smolm2_135m_instruct", "mine.yaml:2:22",
            "smollm2_135m_instruct", id="option",
        ),
        pytest.param(
            "[lora]", "[lora, sample_packin]", "unknown-name sample_packin", "mine.yaml:4:37",
            "sample_packing", id="one of several options",
        ),
        pytest.param(
            "  - override /model", "  - quikstart\n  - override /model", "unknown-name quikstart", "mine.yaml:2:5",
            "quickstart", id="a recipe that it builds on",
        ),
    ],
)  # fmt: skip
def test_a_misspelt_choice_in_the_defaults_has_a_place(
    old: str, new: str, what: str, where: str, near: str, loading: Loading, folder: Path
) -> None:
    loading()
    text = (folder / "mine.yaml").read_text().replace(old, new, 1)
    with pytest.raises(InvalidInput) as caught:
        loading(text=text)
    (problem,) = caught.value.problems
    assert is_about(problem.code, problem.what, what)
    assert problem.at == where
    assert problem.did_you_mean[:1] == (near,)


def test_all_misspelt_choices_come_together(loading: Loading, folder: Path) -> None:
    loading()
    text = (folder / "mine.yaml").read_text()
    (folder / "mine.yaml").write_text(text.replace("smollm2_135m", "smolm2_135m").replace("[lora]", "[lorra, loora]"))
    with pytest.raises(InvalidInput) as caught:
        load(["recipe=mine.yaml", "evals=[rogue,exact_match]"], plugins())
    problems = {problem.what.split("`")[1]: (problem.code, problem.at) for problem in caught.value.problems}
    assert problems == {
        "smolm2_135m_instruct": ("unknown-name", "mine.yaml:2:22"),
        "lorra": ("unknown-name", "mine.yaml:4:31"),
        "loora": ("unknown-name", "mine.yaml:4:38"),
        "rogue": ("unknown-name", "override evals=[rogue,exact_match]"),
    }


@pytest.mark.parametrize("gpu", ["1", "H100", "H100:1", "[H100]", "'1'"])
def test_zero_with_one_process_names_both_places(gpu: str, loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading("optimizations=[lora,zero3]", f"resources.train.gpu={gpu}")
    problem = _the_problem(caught.value.problems, "invalid-value ZeRO")
    fragment, resources = (problem.at or "").split(" and ")
    assert fragment.endswith("conf/optimizations/zero3.yaml:3:3")
    assert resources == f"override resources.train.gpu={gpu}"


@pytest.mark.parametrize("more", ["resources.train.gpu=H100:2", "resources.train.gpu=2", "resources.train.processes=2"])
def test_zero_with_two_processes_is_right(more: str, loading: Loading) -> None:
    assert loading("optimizations=[lora,zero3]", more).recipe.optimizations["zero3"]


def test_offload_needs_no_second_process(loading: Loading) -> None:
    assert loading("optimizations=[lora,zero3_offload]", "resources.train.gpu=1").recipe.name == "mine"


ADAPTERS = [(first, second, "adapter") for first, second in permutations(("lora", "qlora", "full"), 2)]
ZERO = [(first, second, "deepspeed") for first, second in combinations(("zero1", "zero2", "zero3", "zero3_offload"), 2)]


@pytest.mark.parametrize(("first", "second", "key"), [*ADAPTERS, *ZERO])
def test_two_optimizations_that_disagree_name_both_files(first: str, second: str, key: str, loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(f"optimizations=[{first},{second}]")
    problem = _the_problem(caught.value.problems, f"conflicting-keys {key}")
    places = (problem.at or "").split(" and ")
    assert [Path(place.split(":")[0]).name for place in places] == [f"{second}.yaml", f"{first}.yaml"]
    assert f"train.{key}=" in (problem.hint or "")


def test_an_optimization_of_the_recipe_is_in_conflict_too(loading: Loading) -> None:
    more = "optimizations: {mine: {adapter: null}}\n"
    with pytest.raises(InvalidInput) as caught:
        loading(more=more)
    problem = _the_problem(caught.value.problems, "conflicting-keys adapter")
    assert "mine.yaml:13:24" in (problem.at or "")


def test_a_disagreement_that_the_recipe_decides_is_none(loading: Loading) -> None:
    recipe = loading("optimizations=[lora,qlora]", "train.adapter=qlora", "optimizations.lora.lora_r=16").recipe
    assert recipe.train["adapter"] == "qlora"


def test_the_right_serving_accepts_what_an_adapter_cannot_have(loading: Loading) -> None:
    assert loading("serve=vllm", "train.lora_modules_to_save=[lm_head]").recipe.serve.merged


def test_lora_kernels_need_an_adapter(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading("optimizations=[full,fused_kernels]")
    (problem,) = caught.value.problems
    assert problem.code == "conflicting-keys"
    assert "fused_kernels.yaml:7:3" in problem.at
    assert problem.hint
    kernels_off = problem.hint.removeprefix("set ").split()
    assert loading("optimizations=[full,fused_kernels]", *kernels_off).recipe.optimizations["fused_kernels"]


def test_every_problem_is_told_at_once(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(
            "train.sequence_len=9000",
            "train.wamup_steps=3",
            "dataset.source.pth=x",
            "evals.sql_execution.gate.min=1",
            "generate.top_p=2",
            more="trian: {}\nstages: [fetch, formt, tokenize, train]\n",
        )
    told = "\n".join(problem.what for problem in caught.value.problems)
    for part in (
        "sequence_len` is 9000",
        "wamup_steps",
        "dataset.source.pth",
        "sql_execution",
        "generate.top_p",
        "trian",
    ):
        assert part in told
    assert "formt" in told
    assert all(problem.at for problem in caught.value.problems)


def test_problems_stand_in_the_order_of_their_lines(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading(
            "stages=[format]", "dataset.source.pathh=x", more="evals:\n" + "".join(f"  e{n}: 1\n" for n in range(90))
        )
    places = [problem.at or "" for problem in caught.value.problems]
    lines = [int(place.split(":")[1]) for place in places if place.startswith("mine.yaml")]
    assert lines == sorted(lines)
    assert lines[-1] > 100


def test_values_of_an_optimization_that_is_not_chosen_are_the_only_problem(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading("optimizations.qlora.adapter=qlora")
    assert [problem.what for problem in caught.value.problems] == ["`qlora` is not among the chosen optimizations"]


def test_trainer_keys_are_checked_in_a_recipe_that_stops_before_it_trains(loading: Loading) -> None:
    assert loading("stages=[fetch,format]", "~train.learning_rate").recipe.stages == ("fetch", "format")
    with pytest.raises(InvalidInput) as caught:
        loading("stages=[fetch,format]", "train.wamup_steps=3")
    assert [problem.what for problem in caught.value.problems] == ["unknown key `wamup_steps`"]


@pytest.mark.parametrize(
    ("override", "what", "near"),
    [
        pytest.param("recipe=quikstart", "unknown-name quikstart", ("quickstart",), id="misspelt"),
        pytest.param("recipe=missing.yaml", "file-not-found missing.yaml", (), id="missing file"),
        pytest.param("recipe=/nowhere/at/all.yml", "file-not-found", (), id="missing folder"),
        pytest.param("recipe=.", "unknown-name `.`", (), id="a folder"),
        pytest.param("recipe=null", "invalid-override", (), id="null"),
        pytest.param("recipe=", "unknown-name ``", (), id="nothing"),
        pytest.param("train.num_epochs=1", "missing-recipe", (), id="no recipe at all"),
    ],
)
def test_a_recipe_that_is_not_there(override: str, what: str, near: tuple[str, ...], folder: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        load([override], plugins())
    (problem,) = caught.value.problems
    assert is_about(problem.code, problem.what, what)
    assert problem.did_you_mean == near
    assert problem.expected or problem.hint


def test_an_environment_variable_never_gets_into_a_refusal(loading: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with pytest.raises(InvalidInput) as caught:
        loading("train.x=${oc.env:HF_TOKEN}")
    assert "hf_secret" not in repr(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("base_model: m\nadapter: lora\ndatasets:\n  - path: rows.jsonl\n    type: alpaca\n", "axolotl"),
        ("model_name_or_path: m\nstage: sft\nfinetuning_type: lora\n", "LLaMA-Factory"),
    ],
)
def test_a_configuration_of_another_tool_is_one_problem(folder: Path, text: str, tool: str) -> None:
    (folder / "theirs.yml").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        load(["recipe=theirs.yml"], plugins())
    (problem,) = caught.value.problems
    assert problem.code == "invalid-recipe"
    assert tool in problem.what
    assert problem.at
    assert problem.at.endswith("theirs.yml:1:1")
    assert problem.hint == "ftrun import theirs.yml"


def test_the_home_folder_in_overrides(loading: Callable[..., Loaded], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somebody's home")
    source = loading("dataset.source.path=~/rows.jsonl").recipe.dataset.source
    assert source
    assert source.options["path"] == "/somebody's home/rows.jsonl"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "file-not-found"),
        (b"torch", "wrong-format"),
        (b"\xff==", "invalid-encoding"),
        *(
            (b"torch==2.14.1\n" + line, "wrong-format")
            for line in (
                b"evil @ https://example.com/evil.whl?x==1",
                b"./evil==1",
                b"-e evil==1",
                b"-r other==1.txt",
                b"--index-url https://example.com/==",
                b"evil==1 \\\n--extra-index-url https://example.com",
                b"evil>=1",
                b"evil==1 ; python_version > '3' --index-url https://example.com",
                b"https://example.com/a==1.whl",
            )
        ),
    ],
)
def test_a_lock_file_that_cannot_be_used(content: bytes | None, code: str, loading: Loading, folder: Path) -> None:
    if content is not None:
        (folder / "mine.txt").write_bytes(content)
    override = "environment.trainer.lock=mine.txt"
    with pytest.raises(InvalidInput) as caught:
        loading(override)
    assert [(problem.code, problem.at) for problem in caught.value.problems] == [(code, f"override {override}")]


def test_a_lock_file_that_pins_packages(loading: Loading, folder: Path) -> None:
    hashed = f"click[extra]==8.5.1 ; python_version >= '3.12' \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n"
    (folder / "mine.txt").write_text(f"# a comment\ntorch==2.14.1+cu130  # why\n{hashed}\nw1-x_y.z==1!2.post1\n")
    loading("environment.trainer.lock=mine.txt")


@pytest.mark.parametrize(
    "value", ["evil @ https://example.com/evil.whl", "-r/etc/passwd", "a b", "'a\n-r b'", "../evil"]
)
@pytest.mark.parametrize("key", ["package", "version"])
def test_a_package_is_a_name_and_a_version(key: str, value: str, loading: Loading) -> None:
    override = f"model.weights.{key}={value}" if value.startswith("'") else f"model.weights.{key}='{value}'"
    with pytest.raises(InvalidInput) as caught:
        loading(override)
    assert [problem.code for problem in caught.value.problems] == ["invalid-value"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("# @package hydra.sweeper\n_target_: os.system\n", "evil.yaml:1:1"),
        ("defaults: [quickstart, {override hydra/launcher: joblib}]\n", "evil.yaml:1:25"),
        ("defaults: [quickstart, {/model@hydra.callbacks: tiny}]\n", "evil.yaml:1:25"),
        ("defaults: [quickstart]\nhydra: {sweeper: {_target_: os.system}}\n", "evil.yaml:2:1"),
    ],
)
@pytest.mark.parametrize("sweep", [False, True])
def test_a_recipe_cannot_change_hydra(text: str, place: str, sweep: bool, folder: Path) -> None:
    """Hydra calls any function that its settings name, in a sweep or with its flags."""
    (folder / "evil.yaml").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        expand_sweep(["recipe=evil.yaml", "train.seed=1,2"]) if sweep else load(["recipe=evil.yaml"], plugins())
    assert [(problem.code, problem.at) for problem in caught.value.problems] == [("reserved-key", place)]


def test_an_error_in_a_config_group_has_its_place(tmp_path: Path) -> None:
    for name, text in {"a": "trainer:\n  x: ${nope}\n", "b": "trainer:\n  - 1\n", "c": "a: ${x\n"}.items():
        file = tmp_path / "conf" / "model" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("# A model.\nbase_model: x\n" + text)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "another.yaml").write_text("defaults: [quickstart]\nmodel: {trainer: {seed: 1}}\n")
    folders = [own_folders(), ConfigFolders("another", tmp_path / "conf", tmp_path / "recipes")]
    for name, place in {"a": "a.yaml:4:3", "b": "another.yaml:2:9", "c": "c.yaml:3:1"}.items():
        with pytest.raises(InvalidInput) as caught:
            compose(["recipe=another", f"model={name}"], folders)
        (problem,) = caught.value.problems
        assert (problem.at or "").endswith(place), problem
