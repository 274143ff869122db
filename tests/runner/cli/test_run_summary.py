"""The table that a run ends with."""

from __future__ import annotations

from ftrun.cli.run_summary import evaluation_table


def test_a_small_gain_is_not_shown_as_none() -> None:
    result = {"rows": 8, "base": 10.775056, "tuned": 10.774731, "gain": 0.000325, "interval": [0.000126, 0.000567]}
    _, line = evaluation_table({"held_out_loss": {**result, "verdict": "better"}})
    assert line.endswith("+0.000325  +0.000126 to +0.000567 better")


def test_what_was_not_measured_is_left_out_and_columns_stay() -> None:
    head, one, other = evaluation_table(
        {
            "exact_match": {"rows": 100, "base": 0.0, "tuned": 0.75, "gain": 0.75, "interval": [0.66, 0.83]},
            "json_schema": {"rows": 100, "tuned": 1.0},
        }
    )
    assert one == "exact_match            100     0.000     0.750    +0.750  +0.660 to +0.830"
    assert other == "json_schema            100               1.000"
    assert head.index("tuned") + len("tuned") == other.index("1.000") + len("1.000")


def test_what_a_reader_needs_to_believe_a_verdict_is_below_it() -> None:
    result = {"rows": 100, "base": 0.5, "tuned": 0.52, "gain": 0.02, "interval": [-0.05, 0.09], "p": 0.6}
    more = {"p_adjusted": 1.0, "comparisons": 3, "clusters": 40, "detectable_gain": 0.1, "unscored": 2}
    named = {"verdict": "no difference seen", "method": "some test"}
    gate = [{"rule": "min", "limit": 0.5, "met": False, "detail": "the reason", "level": "warn"}]
    lines = list(evaluation_table({"exact_match": {**result, **more, **named, "gate": gate}}))
    details = " ".join(line.strip() for line in lines[2:-1])
    for part in ("p 0.6, adjusted 1", "40 clusters", "difference of 0.100", "2 unscored rows", "some test"):
        assert part in details
    assert max(map(len, lines)) <= 110
    assert lines[-1].strip() == "gate min 0.5: not met (warning): the reason"


def test_the_slices_with_the_largest_losses_are_shown() -> None:
    part = {"by": "language", "rows": 100, "wins": 0, "losses": 60, "interval": [-0.7, -0.4], "verdict": "worse"}
    slices = [{**part, "slice": f"s{number}", "gain": -0.6} for number in range(9)]
    lines = list(evaluation_table({"exact_match": {"rows": 900, "base": 1.0, "tuned": 0.4, "slices": slices}}))
    assert lines[2].strip() == "language s0: 0 wins, 60 losses of 100, -0.600 (-0.700 to -0.400) worse"
    assert len(lines) == 2 + 6 + 1
    assert "3 more slices" in lines[-1]
