"""Checks of a configuration by axolotl itself, without a GPU."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftrun.api.errors import InvalidInput, Problem, error_text
from ftrun_plugins.axolotl.check.architecture import add_adapter, build_model
from ftrun_plugins.axolotl.check.attention_packages import check_attention
from ftrun_plugins.axolotl.check.gpu_capabilities import find_capabilities
from ftrun_plugins.axolotl.check.module_names import check_names
from ftrun_plugins.axolotl.check.refusals import REFUSALS, describe_refusal
from ftrun_plugins.axolotl.train.trainer_config import complete_config
from ftrun_plugins.axolotl.workspace import CONFIG, MODEL, chdir_offline, write_workspace

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.axolotl.check.params import Params

REPORT = "checked.json"
LORA = ("lora", "qlora")


def check(params: Params, context: StageContext) -> None:
    """Check a configuration for each kind of GPU that the training may get.

    Raises:
        InvalidInput: With everything that axolotl refuses.
    """
    model = context.inputs.get("model")
    config = complete_config(params.training, params.splits)
    write_workspace(context.work, config, {MODEL: model} if model else {})
    problems: list[Problem] = []
    with chdir_offline(context.work):
        for gpu in params.gpus or (None,):
            problems += _ConfigCheck(params, context, gpu).run(has_model=model is not None)
    if problems:
        raise InvalidInput(list(dict.fromkeys(problems)))
    (context.output / REPORT).write_text(json.dumps({"axolotl": version("axolotl"), "gpus": params.gpus}))


class _ConfigCheck:
    """Check of the configuration in the current folder for one kind of GPU, or for a CPU."""

    def __init__(self, params: Params, context: StageContext, gpu: str | None) -> None:
        self._params = params
        self._context = context
        self._gpu = gpu

    def run(self, has_model: bool) -> list[Problem]:
        """Return what axolotl refuses."""
        suffix = f" on {self._gpu}" if len(self._params.gpus) > 1 else ""
        try:
            if not has_model:
                config = self._validate()
                on_gpu = self._params.training.accelerator == "gpu"
                return list(check_attention(config, self._params.origins)) if on_gpu else []
            return list(self._check_architecture(self._load()))
        except REFUSALS as error:
            return list(describe_refusal(error, self._params.origins, suffix))
        except Exception as error:  # axolotl may need a GPU, which this process does not have
            self._context.report.warning(f"axolotl cannot check everything on this machine: {error_text(error)}")
            return []

    def _capabilities(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """Return the capabilities of the hardware and of the environment. axolotl checks less if they are None."""
        from axolotl.cli.config import gpu_capabilities

        found, environment = gpu_capabilities()
        if self._params.training.accelerator == "cpu":
            return {**found, "n_gpu": self._params.training.processes}, environment
        known = find_capabilities(self._gpu or "", self._params.training.processes)
        return (known, environment) if known is not None else (None, None)

    def _validate(self) -> Any:
        """Run axolotl's validation of the configuration alone."""
        import yaml
        from axolotl.cli.config import prepare_plugins, validate_config
        from axolotl.utils.dict import DictDefault

        config = DictDefault(yaml.safe_load(Path(CONFIG).read_text(encoding="utf-8")))
        prepare_plugins(config)
        return validate_config(config, *self._capabilities())

    def _load(self) -> Any:
        """Run everything that axolotl does before it loads the model, except for what starts a distributed training."""
        from unittest.mock import patch

        from axolotl.cli.config import load_cfg

        capabilities = patch("axolotl.cli.config.gpu_capabilities", return_value=self._capabilities())
        # with DeepSpeed, it would wait for the other processes of the training
        with capabilities, patch("axolotl.cli.config.prepare_optim_env"):
            return load_cfg(CONFIG)

    def _check_architecture(self, config: Any) -> Iterator[Problem]:
        """Yield a problem for each name that the model does not have, and if PEFT refuses the adapter."""
        try:
            model = build_model(config)
        except Exception as error:  # code of a model's own may need a GPU or further packages
            self._context.report.warning(f"names of modules are not checked, without the model: {error_text(error)}")
            return
        problems = list(check_names(config, model, self._params.origins))
        yield from problems
        if config.adapter in LORA and not problems:
            add_adapter(model, config)
