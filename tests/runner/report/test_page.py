"""The whole report: what it has, what it never has, and that it is one file."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from ftrun.api.paths import RunFolder, Store
from ftrun.recipe.load import Loaded
from ftrun.report.page import make_report, page, save_report
from ftrun.report.run_data import RunData
from ftrun.store.artifacts import MAX_READ_BYTES, reader
from helpers.ended_runs import call, ended_run, result, with_train

EMPTY = ("meta", "wbr")  # elements without an end tag
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&"
CALLS = [call(label) for label in ("format", "tokenize", "train", "evaluate")]
SPLIT = {
    "rows": 90,
    "tokens": 1000,
    "trained_tokens": 250,
    "lengths": {"p5": 3, "p50": 9, "p95": 20, "p100": 21},
    "longest": {"place": "rows.jsonl:7", "tokens": 21},
    "cut": 1,
    "dropped": 2,
    "packing_efficiency": 0.5,
    "template_losses": {"system prompts": {"rows": 41, "first": "rows.jsonl:3"}},
}
Loading = Callable[..., Loaded]


class Reading(HTMLParser):
    """Notes the elements, the text, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


def sample(place: str, base: float, tuned: float, **more: Any) -> dict[str, Any]:
    answers = {
        "base": {"answer": "SELECT 1", "score": base, "reason": "no rows"},
        "tuned": {"answer": "x", "score": tuned},
    }
    return {"evaluation": "exact", "place": place, "reference": "SELECT 2", **answers, **more}


@pytest.fixture
def whole(store: Store, loading: Loading) -> Callable[..., str]:
    """The report of a run that has everything; `more` replaces what it is made of."""

    def make(**more: Any) -> str:
        files = {
            "format/report.json": {
                "train": 90,
                "held_out": 10,
                "rejected": 3,
                "reasons": {"no answer": 3},
                "overlap": {"held_out": 10, "rows": 1, "kinds": {"near": 1, "passage": 2}},
                "notes": ["columns that `chat` does not read: `id` (103 rows, for example 7)"],
                "sources": [
                    {"name": "jsonl", "role": "source", "rows": 103, "files": [{"name": "a.jsonl", "sha256": "ab"}]}
                ],
            },
            "format/held_out.jsonl": [
                {"place": "h.jsonl:1", "messages": [{"role": "user", "content": "How many?"}, {"role": "assistant"}]}
            ],
            "format/overlap.jsonl": [
                {"index": 0, "place": "h.jsonl:1", "kind": "near", "train": "a.jsonl:77", "rows": 1}
            ],
            "tokenize/report.json": {"train": SPLIT, "held_out": {"rows": 0, "tokens": 0, "trained_tokens": 0}},
            "evaluate/samples.jsonl": [sample("h.jsonl:1", 0, 1), sample("h.jsonl:2", 1, 0)],
        }
        metrics = {
            "evaluate": {"evaluation": {"exact": result(0.1, 0.5, (0.3, 0.5), "better")}},
            "format": {"train": 90},
        }
        events = [("progress", "train", {"step": step, "loss": 2 / step}) for step in (1, 2, 3)]
        events += [("call_cached", "format", {}), ("warning", "tokenize", {"text": "3 rows are cut"})]
        made: dict[str, Any] = {"files": files, "metrics": metrics, "events": events, **more}
        return page(RunData(ended_run(store, loading().recipe, CALLS, **made), reader(store)))

    return make


def test_a_report_is_one_whole_file_that_needs_nothing_else(whole: Callable[..., str]) -> None:
    html = whole()
    reading = Reading(html)
    assert html.startswith("<!doctype html>")
    assert reading.open == []
    assert not {"script", "link", "img", "iframe", "object"} & set(reading.names)
    given = dict(reading.attributes)
    assert all(str(value).startswith("#") for name, value in reading.attributes if name in ("href", "src"))
    assert not [name for name, _ in reading.attributes if name.startswith("on")]
    assert "url(" not in html
    assert "@import" not in html
    assert "http" not in html
    assert given["lang"] == "en"


def test_a_report_has_every_section(whole: Callable[..., str]) -> None:
    text = Reading(whole()).text
    for words in (
        "better in 1 of 1 evaluation.",  # the conclusion
        "+0.300 to +0.500",  # the interval
        "How many?",  # the prompt of a sample
        "SELECT 1",
        "base: 0, no rows",
        "2 of 2 rows for which the scores of the two models differ",
        "training loss from 2.000 at step 1 to 0.667 at step 3",
        "90 rows for training, 10 held out, 3 rejected.",
        "Columns that `chat` does not read: `id` (103 rows, for example 7).",
        "1 of 10 held-out rows are repeated in training rows, 2 more share a passage.",
        "a.jsonl:77",
        "system prompts",
        "rows.jsonl:3",
        "no answer",
        "250 (25%)",
        "rows.jsonl:7 (21)",
        "cached",
        "warning of tokenize: 3 rows are cut",
        "learning_rate: 0.001",
        "ftrun recipe=mine",
        "1m30s",
        "3.11",
    ):
        assert words in text, words


def test_links_lead_to_sections(whole: Callable[..., str]) -> None:
    attributes = Reading(whole()).attributes
    ids = {value for name, value in attributes if name == "id"}
    links = [str(value)[1:] for name, value in attributes if name == "href"]
    assert len(links) == 7
    assert set(links) == ids


def test_nothing_that_users_give_is_markup(whole: Callable[..., str]) -> None:
    row = {"place": EVIL, "messages": [{"role": "user", "content": EVIL}, {"role": "assistant", "content": EVIL}]}
    answer = {"answer": EVIL, "score": 1, "reason": EVIL}
    bad = {"evaluation": EVIL, "place": EVIL, "reference": EVIL, "base": {**answer, "score": 0}, "tuned": answer}
    gate = {"rule": EVIL, "limit": EVIL, "value": 0.5, "met": False}
    split = {**SPLIT, "longest": {"place": EVIL, "tokens": 3}}
    source = {"name": EVIL, "role": "source", "rows": 1, "files": [{"name": EVIL, "sha256": EVIL}]}
    overlap = {"held_out": 1, "rows": 1, "kinds": {EVIL: 1}}
    html = whole(
        files={
            "format/report.json": {
                "train": 1,
                "rejected": 1,
                "reasons": {EVIL: 1},
                "sources": [source],
                "overlap": overlap,
            },
            "format/overlap.jsonl": [{"index": 0, "place": EVIL, "kind": EVIL, "train": EVIL, "rows": 1}],
            "format/held_out.jsonl": [row],
            "tokenize/report.json": {"train": split, "held_out": split},
            "evaluate/samples.jsonl": [bad],
        },
        metrics={
            "evaluate": {"evaluation": {EVIL: result(0, 1, (0, 2), EVIL, gate=[gate], evaluator=EVIL)}, EVIL: EVIL}
        },
        events=[("warning", "train", {"text": EVIL}), ("progress", EVIL, {"step": 1, "loss": 1.0})],
        overrides=(EVIL,),
        record={
            "problems": ({"what": EVIL, "where": EVIL, "expected": EVIL, "nearest": [], "do": EVIL},),
            "recipe": EVIL,
            "backend": EVIL,
            "facts": {
                "platform": EVIL,
                "git": {"commit": EVIL},
                "versions": {EVIL: EVIL},
                "environments": {EVIL: EVIL},
            },
        },
    )
    reading = Reading(html)
    assert reading.open == []
    assert not {"script", "img"} & set(reading.names)
    assert not [name for name, _ in reading.attributes if name.startswith("on")]
    assert reading.text.count(EVIL) > 20


@pytest.mark.parametrize("left_out", ["files", "metrics", "events"])
def test_what_a_run_does_not_have_is_left_out(left_out: str, whole: Callable[..., str]) -> None:
    titles = re.findall(r"<h2>(.*?)</h2>", whole(**{left_out: {} if left_out != "events" else ()}))
    gone = {"files": {"Samples", "Data"}, "metrics": {"Evaluation"}, "events": {"Loss"}}[left_out]
    assert gone.isdisjoint(titles)
    assert {"Stages", "Recipe", "Versions"} <= {title.split()[0] for title in titles}


def test_a_run_that_failed_shows_why(whole: Callable[..., str]) -> None:
    problem = {"what": "train was killed", "where": "train.log", "expected": None, "nearest": [], "do": "resume\nit"}
    text = Reading(
        whole(record={"status": "failed", "problems": (problem,), "results": {}}, events=[("call_failed", "train", {})])
    ).text
    assert "train was killed" in text
    assert "failed" in text
    assert "not reached" in text


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (["better", "better"], "better in 2 of 2 evaluations."),
        (["worse"], "worse in 1 of 1 evaluation."),
        (
            ["no difference seen", "better", "no difference seen"],
            "better in 1 of 3, no difference seen in 2 of 3 evaluations.",
        ),
    ],
)
def test_the_conclusion_counts_the_verdicts(verdicts: list[str], said: str, whole: Callable[..., str]) -> None:
    found = {f"e{number}": result(0, 1, (0, 1), verdict) for number, verdict in enumerate(verdicts)}
    assert f"The tuned model compared with the base model: {said}" in whole(metrics={"evaluate": {"evaluation": found}})


def test_one_model_is_not_compared(whole: Callable[..., str]) -> None:
    html = whole(metrics={"evaluate": {"evaluation": {"exact": {"rows": 5, "base": 0.25}}}})
    assert "Only one model was evaluated" in html
    assert "0.250" in html


def test_a_gate_that_is_not_met_is_told(whole: Callable[..., str]) -> None:
    gate = [{"rule": "min", "limit": 0.8, "value": 0.5, "met": False}]
    found = {"exact": result(0.1, 0.5, (0.3, 0.5), "better", gate=gate)}
    assert "gate min 0.8: not met, with 0.500" in whole(metrics={"evaluate": {"evaluation": found}})


def test_samples_are_bounded_and_show_losses_too(whole: Callable[..., str]) -> None:
    lines = [sample(f"gain{number}", 0, 1, reference="x" * 50_000) for number in range(200)]
    lines += [sample(f"loss{number}", 1, 0) for number in range(200)]
    html = whole(files={"evaluate/samples.jsonl": lines})
    assert len(html) < 100_000
    assert "6 of 400 rows" in html
    assert re.findall(r"(?:gain|loss)\d+", html) == [
        f"{kind}{number}" for kind in ("loss", "gain") for number in range(3)
    ]


def test_with_less_is_better_a_lower_score_is_a_gain(whole: Callable[..., str]) -> None:
    found = {"exact": result(2, 1, (0.5, 1.5), "better", higher_is_better=False)}
    html = whole(metrics={"evaluate": {"evaluation": found}}, files={"evaluate/samples.jsonl": [sample("here", 2, 1)]})
    assert re.search(r'here <span class="badge good">better', html)


def test_thousands_of_steps_stay_small(whole: Callable[..., str]) -> None:
    events = [("progress", "train", {"step": step, "loss": 2.0 + step % 7}) for step in range(20_000)]
    assert len(whole(events=events)) < 60_000


def test_secrets_stay_out(whole: Callable[..., str], loading: Loading, store: Store, monkeypatch: Any) -> None:
    monkeypatch.setenv("HF_TOKEN", "hunter2hunter2")
    monkeypatch.setenv("OPENAI_API_KEY", 'it\'s <quoted> & "odd"')
    recipe = with_train(loading().recipe, comet_api_key="in-the-recipe")
    overrides = ("recipe=mine", "train.comet_api_key=in-the-recipe")
    what = 'denied for hunter2hunter2 and it\'s <quoted> & "odd"'
    problem = {"what": what, "where": "https://u:in-the-url@host", "nearest": []}
    run = ended_run(store, recipe, CALLS, overrides=overrides, record={"problems": (problem,)})
    html = page(RunData(run, reader(store)))
    assert "comet_api_key" in html
    assert "denied for ••• and •••" in html
    for secret in ("in-the-recipe", "hunter2hunter2", "in-the-url"):
        assert secret not in html


def test_what_is_too_large_is_left_out(whole: Callable[..., str]) -> None:
    line = sample("here", 0, 1, reference="x" * MAX_READ_BYTES)
    assert "<h2>Samples</h2>" not in whole(files={"evaluate/samples.jsonl": [line]})


def test_events_of_containers_are_read_too(store: Store, loading: Loading) -> None:
    run = ended_run(store, loading().recipe, CALLS)
    run.events_of("train").parent.mkdir()
    run.events_of("train").write_text('{"at": 1, "kind": "progress", "call": "train", "step": 1, "loss": 4.5}\n')
    assert "training loss from 4.500" in page(RunData(run, reader(store)))


def test_a_report_that_cannot_be_made_is_a_warning(store: Store, loading: Loading) -> None:
    run: RunFolder = ended_run(store, loading().recipe, CALLS)
    told: list[Any] = []

    def tell(kind: str, call: str | None = None, /, **values: object) -> None:
        told.append((kind, call, values))

    save_report(run, reader(store), tell)
    assert (run.report.exists(), told) == (True, [])
    run.recipe.write_text("{")
    save_report(run, reader(store), tell)
    ((kind, call_, values),) = told
    assert (kind, call_) == ("warning", None)
    assert values["text"].startswith("the report could not be written: ")


def test_a_report_goes_where_it_is_asked_for(store: Store, loading: Loading, tmp_path: Any) -> None:
    files = {"evaluate/samples.jsonl": [sample("half a character: \ud83d", 0, 1)]}
    run = ended_run(store, loading().recipe, CALLS, files)
    html = make_report(run, reader(store)).decode()
    assert html.startswith("<!doctype html>")
    assert "half a character: ?" in html
    assert not run.report.exists()


def test_slices_and_what_makes_a_verdict_credible_are_shown(whole: Callable[..., str]) -> None:
    part = {"by": "language", "slice": "<de>", "rows": 40, "wins": 1, "losses": 12, "gain": -0.275, "verdict": "worse"}
    numbers = {"interval": [-0.5, -0.1], "p": 0.0034, "p_adjusted": 0.0068}
    more = {"p": 0.2, "p_adjusted": 0.4, "comparisons": 2, "detectable_gain": 0.12, "clusters": 31}
    found = result(0.4, 0.5, (-0.1, 0.3), "no difference seen", slices=[{**part, **numbers}], **more)
    html = whole(metrics={"evaluate": {"evaluation": {"exact": found}}})
    for text in ("Slices of exact", "&lt;de&gt;", "-0.500 to -0.100", "0.0034", "0.0068", "31 clusters", "0.120"):
        assert text in html
    assert Reading(html).open == []
