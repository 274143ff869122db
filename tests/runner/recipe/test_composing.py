"""What a right recipe becomes: values, origins, paths, precedence."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

from ftrun import hookimpl
from ftrun.api.config_dirs import ConfigFolders, own_folders, recipe_names
from ftrun.api.errors import InvalidInput
from ftrun.api.stages import Settings
from ftrun.plugins.builtin import BUILTIN_PLUGINS
from ftrun.plugins.manager import Plugins, plugins
from ftrun.recipe.compose import compose
from ftrun.recipe.load import Loaded, load
from ftrun.recipe.overrides import key_of, prepare
from ftrun_plugins.axolotl.config.build import build_trainer_config

Loading = Callable[..., Loaded]


@pytest.mark.parametrize("name", recipe_names(own_folders().recipes or Path()))
def test_every_shipped_recipe_is_valid(name: str, folder: Path) -> None:
    assert load([f"recipe={name}"], plugins()).recipe.name == name


def test_composing_writes_nothing(loading: Loading, folder: Path) -> None:
    loading()
    assert [path.name for path in folder.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("stem", ["mine", "my-own.v2", "with space", "a=b", "Größe", "it's"])
def test_a_recipe_file_may_have_any_name(stem: str, loading: Loading, folder: Path) -> None:
    loading()
    (folder / "mine.yaml").rename(folder / f"{stem}.yaml")
    assert load([f"recipe={stem}.yaml"], plugins()).recipe.name == stem


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(loading: Loading, folder: Path) -> None:
    plain = loading().recipe
    content = (folder / "mine.yaml").read_bytes()
    (folder / "mine.yaml").write_bytes(b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))
    assert load(["recipe=mine.yaml"], plugins()).recipe == plain


def test_a_recipe_may_build_on_another(folder: Path) -> None:
    (folder / "mine.yaml").write_text("defaults: [quickstart]\ntrain: {num_epochs: 5}\n")
    recipe = load(["recipe=mine.yaml"], plugins()).recipe
    assert (recipe.name, recipe.train["num_epochs"], recipe.train["save_steps"]) == ("mine", 5, 20)


def test_a_recipe_has_its_own_name_wherever_it_stands_among_its_defaults(folder: Path) -> None:
    (folder / "mine.yaml").write_text("defaults: [_self_, quickstart]\n")
    assert load(["recipe=mine.yaml"], plugins()).recipe.name == "mine"


@pytest.mark.parametrize("path", ["./models/mine", "../{name}/models/mine", "{folder}/models/mine", "~/models/mine"])
def test_a_base_model_may_be_a_folder(
    path: str, loading: Loading, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    path = path.format(folder=folder, name=folder.name)
    model = loading(f"model.base_model={path}", more="model:\n  revision: main\n").recipe.model
    assert (model.base_model, model.revision) == ("mine", None)
    assert model.weights.model_dump() == {"origin": "folder", "path": folder / "models" / "mine"}


def test_a_base_model_in_a_file_is_relative_to_it(loading: Loading, folder: Path) -> None:
    model = loading(more="model:\n  base_model: ./mine\n").recipe.model
    assert model.weights.model_dump() == {"origin": "folder", "path": folder / "mine"}


def test_weights_that_are_set_later_win_over_the_folder(loading: Loading) -> None:
    model = loading("model.base_model=./mine", "model.weights={origin: folder, path: /other}").recipe.model
    assert (model.base_model, model.weights.model_dump()) == ("mine", {"origin": "folder", "path": Path("/other")})


def test_another_kind_of_a_part_leaves_the_options_of_the_former_behind(loading: Loading, folder: Path) -> None:
    overrides = ("model.weights.origin=folder", "model.weights.path=here", "dataset.formatter.name=completion")
    recipe = loading(*overrides, more="dataset:\n  formatter: {name: chat, messages: turns}\n").recipe
    assert recipe.model.weights.model_dump() == {"origin": "folder", "path": folder / "here"}
    assert recipe.dataset.formatter.options == {}


def test_what_is_set_after_the_kind_stays_and_is_checked(loading: Loading) -> None:
    with pytest.raises(InvalidInput) as caught:
        loading("model.weights.origin=folder", "model.weights.path=here", "model.weights.file=x")
    (problem,) = caught.value.problems
    assert (problem.what, problem.expected) == ("unknown key `model.weights.file`", "one of origin, path")


def test_settings_of_a_plugin_are_typed_by_its_model(loading: Loading) -> None:
    class Acme(Settings):
        name: ClassVar[str] = "acme"
        level: int
        prices: Path | None = None

    module = ModuleType("acme")
    module.ftrun_register_settings = hookimpl(lambda register: register(Acme))  # type: ignore[attr-defined]
    known = Plugins()
    for name in BUILTIN_PLUGINS:
        known.load(import_module(name), name, "ftrun")
    known.load(module, "acme", "acme 1.0")
    loading()
    path = Path("mine.yaml")
    path.write_text(path.read_text() + "settings:\n  acme: {level: 3}\n")
    assert load(["recipe=mine.yaml"], known).recipe.settings == {"acme": {"level": 3}}
    given = load(["recipe=mine.yaml", "settings.acme.prices=prices.csv"], known).recipe.settings["acme"]
    assert given["prices"] == str(Path.cwd() / "prices.csv")
    with pytest.raises(InvalidInput) as caught:
        load(["recipe=mine.yaml", "settings.acme.level=high", "settings.acmee.level=1"], known)
    assert [problem.what for problem in caught.value.problems] == [
        "`settings.acme.level` is 'high'",
        "no plugin has settings named `acmee`",
    ]


def test_overrides_need_no_plus_and_win_over_the_recipe(loading: Loading) -> None:
    loaded = loading("train.learning_rate=5e-4", "train.warmup_steps=3", "optimizations.lora.peft_use_rslora=true")
    assert (loaded.recipe.train["learning_rate"], loaded.recipe.train["warmup_steps"]) == (5e-4, 3)
    assert loaded.recipe.optimizations["lora"]["peft_use_rslora"] is True
    assert loading("++train.warmup_steps=3").recipe.train["warmup_steps"] == 3


def test_a_tilde_takes_a_key_out(loading: Loading) -> None:
    assert "lora_dropout" not in loading("~optimizations.lora.lora_dropout").recipe.optimizations["lora"]


def test_train_wins_over_an_optimization_and_the_plan_says_so(loading: Loading) -> None:
    merged = build_trainer_config(loading("train.lora_r=8").recipe)
    assert merged.values["lora_r"] == 8
    assert merged.overridden == ("train.lora_r=8 replaces 16 of lora",)
    assert build_trainer_config(loading("train.lora_r=16").recipe).overridden == ()


@pytest.mark.parametrize("group", ["train", "optimizations.lora"])
def test_chosen_modules_switch_off_the_choice_of_all(group: str, loading: Loading) -> None:
    merged = build_trainer_config(loading(f"{group}.lora_target_modules=[q_proj,v_proj]").recipe)
    assert merged.values["lora_target_linear"] is False
    assert merged.overridden == ("lora_target_modules replaces lora_target_linear of lora",)
    explicit = build_trainer_config(
        loading(f"{group}.lora_target_modules=[q_proj]", "train.lora_target_linear=true").recipe
    )
    assert explicit.values["lora_target_linear"] is True


def test_an_optimization_wins_over_the_model(loading: Loading) -> None:
    recipe = loading("model.trainer.lora_r=4", "model.trainer.chat_template=chatml").recipe
    merged = build_trainer_config(recipe)
    assert (merged.values["lora_r"], merged.values["chat_template"]) == (16, "chatml")
    assert merged.origins["lora_r"] == ("optimizations", "lora", "lora_r")
    assert merged.origins["chat_template"] == ("model", "trainer", "chat_template")


def test_trainer_plugins_of_all_optimizations_are_united_in_order(loading: Loading) -> None:
    more = "optimizations:\n  a: {plugins: [x.A, x.B]}\n  b: {plugins: [x.B, x.C]}\n"
    recipe = loading(more=more).recipe
    assert build_trainer_config(recipe).values["plugins"] == ["x.A", "x.B", "x.C"]
    united = build_trainer_config(recipe.model_copy(update={"train": {**recipe.train, "plugins": ["x.D"]}}))
    assert united.values["plugins"] == ["x.A", "x.B", "x.C", "x.D"]


def test_every_value_knows_where_it_came_from(loading: Loading) -> None:
    loaded = loading("train.num_epochs=3", "evals=[exact_match,held_out_loss]", more="generate:\n  seed: 7\n")
    origins = loaded.origins()
    assert origins["train.num_epochs"] == "override train.num_epochs=3"
    assert origins["train.learning_rate"] == "mine.yaml:11:3"
    assert origins["generate.seed"] == "mine.yaml:14:3"
    assert origins["optimizations.lora.lora_r"].endswith("conf/optimizations/lora.yaml:4:3")
    assert origins["evals.held_out_loss.evaluator"].endswith("conf/evals/held_out_loss.yaml:3:3")
    assert origins["model.base_model"].endswith("conf/model/smollm2_135m_instruct.yaml:2:1")


def test_a_path_is_relative_to_the_file_that_sets_it(
    loading: Loading, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    loading(more="dataset:\n  source: {path: data/train.jsonl}\n")
    monkeypatch.chdir(elsewhere)
    loaded = load([f"recipe={folder / 'mine.yaml'}"], plugins())
    assert loaded.recipe.dataset.source.options["path"] == str(folder / "data" / "train.jsonl")
    held_out = loaded.recipe.dataset.held_out
    assert held_out is not None
    assert Path(held_out.options["path"]).is_file()  # from conf/dataset/, where it is ../../data/…


def test_a_path_in_an_override_is_relative_to_the_current_folder(loading: Loading, folder: Path) -> None:
    recipe = loading("dataset.source.path=../rows.jsonl").recipe
    assert recipe.dataset.source.options["path"] == str(folder.parent / "rows.jsonl")


def test_the_path_of_a_model_folder_and_of_a_lock_are_made_absolute_too(loading: Loading, folder: Path) -> None:
    more = "model:\n  weights: {origin: folder, path: weights}\n"
    text = (
        "defaults:\n  - override /model: codellama_7b_instruct\n  - override /dataset: quickstart_sql\n"
        "stages: [fetch, format]\n" + more
    )
    (folder / "my.txt").write_text("torch==2.14.1\n")
    recipe = loading("environment.trainer.lock=my.txt", text=text).recipe
    assert recipe.model.weights.model_dump()["path"] == folder / "weights"
    assert recipe.environment["trainer"].lock == folder / "my.txt"


def test_an_interpolation_reads_another_key(loading: Loading) -> None:
    recipe = loading(more="generate:\n  max_new_tokens: ${train.sequence_len}\n").recipe
    assert recipe.generate.max_new_tokens == 512


@pytest.mark.parametrize(
    ("given", "hydra"),
    [
        ("train.x=1", "++train.x=1"),
        ("optimizations.lora.lora_r=32", "++optimizations.lora.lora_r=32"),
        ("generate.seed=1", "++generate.seed=1"),
        ("model=x", "model=x"),
        ("optimizations=[lora]", "optimizations=[lora]"),
        ("+train.x=1", "+train.x=1"),
        ("++train.x=1", "++train.x=1"),
        ("~train.x", "~train.x"),
        ("hydra.verbose=true", "hydra.verbose=true"),
        ("recipe=a,b.yaml", "recipe=a,b.yaml"),
    ],
)
def test_what_hydra_is_given(given: str, hydra: str) -> None:
    prepared = prepare([given], ("model", "optimizations", "recipe"))
    assert (prepared.given, prepared.hydra) == ((given,), (hydra,))


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("train.x=1", ("train", "x")),
        ("++train.x=a=b", ("train", "x")),
        ("~train.x", ("train", "x")),
        ("model@a.b=x", ("model",)),
    ],
)
def test_the_key_of_an_override(override: str, key: tuple[str, ...]) -> None:
    assert key_of(override) == key


def _provider(root: Path, name: str, recipe: str, option: str) -> ModuleType:
    """A plugin that adds one recipe and one optimization."""
    for folder, file, text in (("recipes", recipe, "a: 1\n"), ("conf/optimizations", option, f"{option}: {{}}\n")):
        (root / name / folder).mkdir(parents=True)
        (root / name / folder / f"{file}.yaml").write_text(text)
    module = ModuleType(name)

    @hookimpl
    def ftrun_config_sources() -> ConfigFolders:
        return ConfigFolders(name, root / name / "conf", root / name / "recipes")

    module.ftrun_config_sources = ftrun_config_sources  # type: ignore[attr-defined]
    return module


def test_other_packages_add_recipes_and_options(folder: Path) -> None:
    found = Plugins()
    found.load(_provider(folder, "theirs", "their_recipe", "their_option"), "theirs", "theirs 1.0")
    composed = compose(["recipe=quickstart", "optimizations=[lora,their_option]"], found.config_folders())
    assert composed.chosen("optimizations") == ["lora", "their_option"]
    assert compose(["recipe=their_recipe"], found.config_folders()).values["a"] == 1
    with pytest.raises(InvalidInput, match="no recipe named `their_recipe`"):  # nothing is left behind in Hydra
        compose(["recipe=their_recipe"], Plugins().config_folders())


def test_two_providers_of_one_name_are_both_named(folder: Path) -> None:
    found = Plugins()
    found.load(_provider(folder, "first", "same", "lora"), "first", "first 1.0")
    found.load(_provider(folder, "second", "same", "other"), "second", "second 1.0")
    with pytest.raises(InvalidInput) as caught:
        compose(["recipe=quickstart"], found.config_folders())
    told = [problem.what for problem in caught.value.problems]
    assert "`optimizations=lora` is provided by both ftrun and first 1.0" in told
    assert any("`recipe=same`" in what and "first" in what and "second" in what for what in told)
