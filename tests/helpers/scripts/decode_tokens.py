"""Prints the text of token ids, special tokens included, as JSON.

trainer/bin/python decode_tokens.py FOLDER IDS
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    from transformers import AutoTokenizer

    print(json.dumps(AutoTokenizer.from_pretrained(sys.argv[1]).decode(json.loads(sys.argv[2]))))


if __name__ == "__main__":
    main()
