"""Evidence for and against a judge: does it prefer positions or lengths, and does it agree with people?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ftrun.api.serving_spec import BASE, TUNED
from ftrun_plugins.evaluation.agreement import measure_agreement

CONSISTENT = (BASE, TUNED, "tie")  # verdicts that are the same in both orders


def describe_verdicts(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the share of verdicts that are the same in both orders, and the lengths of preferred and other answers.

    `longer_preferred` is the share of preferred answers that are the longer ones, of pairs with different lengths.
    """
    verdicts, lengths, models = list[str](), list[tuple[int, int]](), set[str]()
    for row in rows:
        models |= {row["judged_by"]} if row.get("judged_by") else set()
        if row[BASE]["score"] is None:
            continue
        verdicts.append(row["verdict"])
        if row["verdict"] in (BASE, TUNED):
            other = TUNED if row["verdict"] == BASE else BASE
            lengths.append((len(row[row["verdict"]]["answer"]), len(row[other]["answer"])))
    result: dict[str, Any] = {"judged_by": sorted(models)} if models else {}
    if verdicts:
        result["position_consistent"] = round(sum(verdict in CONSISTENT for verdict in verdicts) / len(verdicts), 6)
    if lengths:
        preferred, others = zip(*lengths, strict=True)
        result["characters_preferred"] = round(sum(preferred) / len(lengths), 1)
        result["characters_other"] = round(sum(others) / len(lengths), 1)
    if different := [one > other for one, other in lengths if one != other]:
        result["longer_preferred"] = round(sum(different) / len(different), 6)
    return result


def describe_agreement(verdicts: Sequence[tuple[str, str | None]]) -> dict[str, Any]:
    """Return the agreement with people. Each item has the verdict of a person and of the judge, which may be None.

    A preference for a position alone is a tie, as it is in the scores.
    """
    known = [(person, judge if judge in CONSISTENT else "tie") for person, judge in verdicts if judge is not None]
    result: dict[str, Any] = {"pairs": len(known), "unscored": len(verdicts) - len(known)}
    if not known:
        return {"agreement": result}
    measured = measure_agreement(known)
    result["same"] = round(measured.observed, 6)
    if measured.kappa is not None and measured.interval is not None:
        result["kappa"] = round(measured.kappa, 6)
        result["interval"] = [round(bound, 6) for bound in measured.interval]
    return {"agreement": result}
