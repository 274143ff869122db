"""Compare the base and the tuned model by their scores, and check the gates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftrun.api.artifacts import Evaluations, FormattedRows, Scores
from ftrun.api.recipe import Gate
from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.evaluate.clusters import Clusters
from ftrun_plugins.evaluation.evaluate.gates import check_gate
from ftrun_plugins.evaluation.evaluate.overlap import find_repeated, summarize_without
from ftrun_plugins.evaluation.evaluate.slices import compare_slices, label_rows
from ftrun_plugins.evaluation.evaluate.stage import DATA
from ftrun_plugins.evaluation.evaluate.summary import adjust_verdicts, is_scored, summarize

if TYPE_CHECKING:
    from ftrun.api.context import StageContext
    from ftrun_plugins.evaluation.evaluate.params import Evaluation, Params


def evaluate(params: Params, context: StageContext) -> None:
    """Write the result of each evaluation, and the rows for which the scores of the models differ."""
    data = FormattedRows(context.inputs[DATA]) if DATA in context.inputs else None
    clusters = Clusters(data, params.group_columns) if data else None
    repeated = find_repeated(data)
    results: dict[str, dict[str, Any]] = {}
    found: dict[str, dict[int, str]] = {}
    with (context.output / Evaluations.SAMPLES).open("w") as samples:
        for done, (name, evaluation) in enumerate(params.evals.items()):
            context.report.progress(done, len(params.evals), "evaluations")
            scores = Scores(context.inputs[name])
            rows = list(scores.rows())
            found[name] = _find_clusters(name, evaluation, clusters, rows)
            results[name] = summarize(rows, scores.meaning, found[name])
            if data and evaluation.slices:
                labels = {by: label_rows(by, data, f"evals.{name}.slices") for by in evaluation.slices}
                results[name]["slices"] = compare_slices(rows, scores.meaning, found[name], labels)
            if evaluation.held_out:
                results[name] |= summarize_without(repeated, rows, scores.meaning, found[name])
            samples.writelines(
                json.dumps({"evaluation": name, **sample}, ensure_ascii=False) + "\n"
                for sample in _find_samples(rows, scores.meaning)
            )
    adjust_verdicts(results)
    for name, evaluation in params.evals.items():
        if evaluation.gate:
            results[name]["gate"] = _check_gate(name, evaluation.gate, results[name], context)
    (context.output / Evaluations.CLUSTERS).write_text(json.dumps(found))
    (context.output / Evaluations.RESULT).write_text(json.dumps(results, indent=1, allow_nan=False))
    context.report.metric(evaluation=results)


def _find_clusters(
    name: str, evaluation: Evaluation, clusters: Clusters | None, rows: Sequence[Mapping[str, Any]]
) -> dict[int, str]:
    """Return the cluster of each row by the index of the row; empty if each row is on its own."""
    if clusters is None or not evaluation.held_out:
        return {}
    place = f"evals.{name}.cluster"
    by_index = clusters.by_column(evaluation.cluster, place) if evaluation.cluster else clusters.by_default()
    found = {row["index"]: by_index[row["index"]] for row in rows}
    return found if len(set(found.values())) < len(found) else {}


def _check_gate(name: str, gate: Gate, result: dict[str, Any], context: StageContext) -> list[dict[str, Any]]:
    """Report whether the scores meet each threshold of a gate. An unmet threshold changes the exit code of the run.

    With the level `warn`, it gives a warning instead.
    """
    checks = []
    for rule in check_gate(gate, result):
        full_name = f"evals.{name}.gate.{rule.name}"
        if rule.met or gate.level == "fail":
            context.report.gate(full_name, rule.met, rule.detail)
        else:
            context.report.warning(f"the gate of `{full_name}` is not met: {rule.detail}")
        level = {} if gate.level == "fail" else {"level": gate.level}
        checks.append(
            {
                "rule": rule.name,
                "limit": rule.limit,
                "value": rule.value,
                "met": rule.met,
                "detail": rule.detail,
                **level,
            }
        )
    return checks


def _find_samples(rows: Sequence[Mapping[str, Any]], meaning: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows with answers for which the scores of the two models differ, the largest loss first."""
    sign = 1 if meaning["higher_is_better"] else -1
    samples = []
    for row in filter(is_scored, rows):
        base, tuned = row.get(BASE, {}), row.get(TUNED, {})
        if "answer" in base and "answer" in tuned and base["score"] != tuned["score"]:
            samples.append({"place": row["place"], "reference": row["reference"], BASE: base, TUNED: tuned})
    return sorted(samples, key=lambda sample: sign * float(sample[TUNED]["score"] - sample[BASE]["score"]))
