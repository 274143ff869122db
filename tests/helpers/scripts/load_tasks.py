"""Loads tasks as the stage `lm_eval` loads them, without a model, and prints each one's first prompt, or what is wrong.

The answer to the first prompt, which filters and metrics get, is a row of the letter a.

server_cpu/bin/python load_tasks.py PROJECT WORK [[NAME or path of a task file, whether it is trusted], …]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ANSWER = "a" * 60


def score(task: Any, document: Any) -> None:
    from lm_eval.api.instance import Instance

    instance = Instance("generate_until", document, ("", {}), 0)
    instance.resps = [ANSWER]
    for ensemble in task._filters:
        ensemble.apply([instance])
    task.process_results(document, [ANSWER])


def main() -> None:
    project, work, wanted = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    sys.path[:0] = [str(project / "runner"), str(project / "plugins")]
    from ftrun.api.context import Reporter, StageContext
    from ftrun.api.errors import InvalidInput
    from ftrun.utils.digests import sha256_of
    from ftrun_plugins.evaluation.lm_eval import task_limits
    from ftrun_plugins.evaluation.lm_eval.params import Params
    from ftrun_plugins.evaluation.lm_eval.task_file import TaskFile
    from ftrun_plugins.evaluation.lm_eval.tasks import load_tasks, report_template_errors

    task_limits.SECONDS = 2.0
    found: list[object] = []
    for name, trusted in wanted:
        read = TaskFile(Path(name), trusted, sha256_of) if name.endswith(".yaml") else None
        values = dict.fromkeys(key for key, field in Params.model_fields.items() if field.is_required())
        values |= {"task": read.config if read else name, "downloads": read is None, "trusts_task": trusted}
        params = Params(**{**values, "accelerator": "cpu", "gpus": 0, "trust_remote_code": False})
        context = StageContext(work, work, {}, read.files if read else {}, Reporter("lm_eval", work / "events.jsonl"))
        try:
            with report_template_errors(params.task):
                for task in load_tasks(params, context).values():
                    prompt = task.doc_to_text(task.test_docs()[0])
                    if task.OUTPUT_TYPE == "generate_until":
                        score(task, task.test_docs()[0])
                    found.append(prompt)
        except InvalidInput as error:
            found.append({"what": error.problems[0].what, "nearest": error.problems[0].did_you_mean})
    print(json.dumps(found))


if __name__ == "__main__":
    main()
