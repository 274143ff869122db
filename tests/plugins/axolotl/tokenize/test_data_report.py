"""The report of a split: what it counts, and that estimates look at long rows too."""

from __future__ import annotations

from ftrun_plugins.axolotl.tokenize.data_report import DataReport, packing_efficiency, sample_lengths


def test_an_estimate_is_taken_evenly_from_all_lengths() -> None:
    lengths = list(range(1, 101))
    assert sample_lengths(lengths, 10) == [1, 11, 21, 31, 41, 51, 61, 71, 81, 91]
    assert len(sample_lengths(lengths, 30)) <= 30
    assert sample_lengths(lengths, 100) == lengths


def test_rows_are_packed_longest_first() -> None:
    assert packing_efficiency([4, 6, 5, 5], 10) == 1.0
    assert packing_efficiency([6, 6], 10) == 0.6


def test_what_became_of_each_row_is_counted() -> None:
    report = DataReport(10)
    report.add("a:1", 8, 3, cut=False)
    report.add("a:2", 10, 4, cut=True)
    report.drop("a:3", 12)
    report.add_problem("a:4", "why")
    summary = report.summary()
    assert (report.row_count, report.tokens, report.longest) == (4, 18, ("a:3", 12))
    assert (summary["rows"], summary["trained_tokens"], summary["cut"], summary["dropped"]) == (2, 7, 1, 1)
