"""Loads a model folder as a user would, and lets it speak: `trainer/bin/python load_model.py FOLDER`."""

from __future__ import annotations

import json
import sys

from transformers import AutoModelForCausalLM, AutoTokenizer


def main() -> None:
    folder = sys.argv[1]
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "hello"}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    output = model.generate(**prompt, max_new_tokens=2, min_new_tokens=2, do_sample=False)
    print(
        json.dumps(
            {
                "missing": sorted(info["missing_keys"]),
                "unexpected": sorted(info["unexpected_keys"]),
                "new_tokens": output.shape[1] - prompt["input_ids"].shape[1],
            }
        )
    )


if __name__ == "__main__":
    main()
