"""Prints what transformers generates greedily after each prompt of a file of answers, one by one, as lists of ids.

trainer/bin/python generate_answers.py MODEL PREDICTIONS.jsonl MAX_NEW_TOKENS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    folder, rows, longest = sys.argv[1:]
    sys.argv = sys.argv[:1]
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    answers = []
    for line in Path(rows).read_text().splitlines():
        prompt = torch.tensor([json.loads(line)["prompt_ids"]])
        mask = torch.ones_like(prompt)
        output = model.generate(prompt, attention_mask=mask, max_new_tokens=int(longest), do_sample=False)
        answers.append(output[0, prompt.shape[1] :].tolist())
    print(json.dumps(answers))


if __name__ == "__main__":
    main()
