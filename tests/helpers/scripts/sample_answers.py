"""Prints the token ids that the engine `transformers` generates with a model whose generation config has many settings.

trainer/bin/python sample_answers.py PROJECT MODEL PARAMETERS.json

The file has a list of JSON objects with `config` (what to write into the model's generation config) and `sampling`.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path


def main() -> None:
    project, source, asked = sys.argv[1:]
    sys.argv = sys.argv[:1]
    sys.path[:0] = [f"{project}/{part}" for part in ("runner", "plugins")]
    from transformers import AutoTokenizer

    from ftrun.api.context import Reporter, StageContext, StopRequest
    from ftrun_plugins.evaluation.generate.params import Params
    from ftrun_plugins.evaluation.generate.transformers_engine import generate_answers

    answers = []
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        shutil.copytree(source, model)
        config_file = model / "generation_config.json"
        original = json.loads(config_file.read_text())
        tokenizer = AutoTokenizer.from_pretrained(model)
        prompt = tokenizer("The the the the cat sat on the mat the the", add_special_tokens=False)["input_ids"]
        for each in json.loads(Path(asked).read_text()):
            config_file.write_text(json.dumps({**original, **each["config"]}))
            params = Params(
                engine="transformers",
                max_new_tokens=12,
                batch_size=2,
                rows=None,
                accelerator="cpu",
                gpus=0,
                trust_remote_code=False,
                **{"temperature": 0.0, "top_p": 1.0, "seed": 0, "repetition_penalty": 1.0, **each["sampling"]},
            )
            report = Reporter("generate", Path(folder) / "events.jsonl")
            context = StageContext(Path(folder), Path(folder), {"model": model}, {}, report, StopRequest())
            (answer,) = generate_answers({0: prompt}, tokenizer, params, context)
            answers.append(answer.ids)
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
