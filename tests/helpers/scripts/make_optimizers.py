"""Asks axolotl and transformers for the class of each optimizer, and prints those that they cannot provide, as JSON.

    trainer/bin/python make_optimizers.py NAMES.json

Both look for the package of an optimizer when they return its class, but for PoLoRA, whose class looks for it later.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path


def main() -> None:
    names = json.loads(Path(sys.argv[1]).read_text())
    logging.disable()
    print("\n" + json.dumps([name for name in names if not can_make(name)]))


def can_make(name: str) -> bool:
    """Return whether the environment has what the optimizer needs."""
    import torch
    from axolotl.core.builders.causal import HFCausalTrainerBuilder
    from axolotl.utils.dict import DictDefault
    from axolotl.utils.schemas.enums import CustomSupportedOptimizers
    from transformers import Trainer, TrainingArguments

    model = torch.nn.Sequential(torch.nn.Linear(8, 8))
    try:
        if name in [optimizer.value for optimizer in CustomSupportedOptimizers]:
            builder = object.__new__(HFCausalTrainerBuilder)
            builder.cfg, builder.model = DictDefault({"optimizer": name}), model
            given = {"learning_rate": 0.1, "weight_decay": 0.0, "dion_learning_rate": 0.1, "dion_momentum": 0.9}
            made: dict[str, tuple[type, dict[str, object]]] = {}
            builder._configure_optimizer(given, made)
            if name == "polora":
                factory, keywords = made["optimizer_cls_and_kwargs"]
                factory()(model, None, **keywords)
        else:
            arguments = TrainingArguments(
                tempfile.mkdtemp(), optim=name, use_cpu=True, optim_target_modules=["0"], report_to=[]
            )
            Trainer.get_optimizer_cls_and_kwargs(arguments, model)
    except (ImportError, ValueError):
        return False
    return True


if __name__ == "__main__":
    main()
