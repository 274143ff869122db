"""Loads tasks as the stage `lm_eval` loads them, without a model, and prints each one's first prompt, or what is wrong.

server_cpu/bin/python load_tasks.py PROJECT WORK [[NAME or path of a task file, whether it is trusted], …]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    project, work, wanted = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    sys.path[:0] = [str(project / "runner"), str(project / "plugins")]
    from ftrun.api.context import Reporter, StageContext
    from ftrun.api.errors import InvalidInput
    from ftrun.utils.digests import sha256_of
    from ftrun_plugins.evaluation.lm_eval.params import Params
    from ftrun_plugins.evaluation.lm_eval.task_file import TaskFile
    from ftrun_plugins.evaluation.lm_eval.tasks import load_tasks, report_template_errors

    found: list[object] = []
    for name, trusted in wanted:
        read = TaskFile(Path(name), trusted, sha256_of) if name.endswith(".yaml") else None
        values = dict.fromkeys(key for key, field in Params.model_fields.items() if field.is_required())
        values |= {"task": read.config if read else name, "downloads": read is None, "trusts_task": trusted}
        params = Params(**{**values, "accelerator": "cpu", "gpus": 0, "trust_remote_code": False})
        context = StageContext(work, work, {}, read.files if read else {}, Reporter("lm_eval", work / "events.jsonl"))
        try:
            with report_template_errors(params.task):
                found += [task.doc_to_text(task.test_docs()[0]) for task in load_tasks(params, context).values()]
        except InvalidInput as error:
            found.append({"what": error.problems[0].what, "nearest": error.problems[0].did_you_mean})
    print(json.dumps(found))


if __name__ == "__main__":
    main()
