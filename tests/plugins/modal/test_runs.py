"""Runs of a stage that takes its time, on a control plane that really runs them: what users do, and what may happen."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from typing import Any

import pytest

from helpers.modal_workplace import ModalPlace
from helpers.workplace import read_json, wait_until

pytestmark = pytest.mark.e2e

RECIPE = "recipe=counting.yaml"
# Cancels one call of a run, as `ftrun cancel` does before Modal has told the scheduler.
CANCEL_CALL = """
import sys
import modal
from ftrun_plugins.modal.claims import Claims
Claims("ftrun-store-claims").mark_cancelled(sys.argv[1])
modal.FunctionCall.from_id(sys.argv[2]).cancel(terminate_containers=True)
"""
# Deletes the functions that Python has on Linux and not on macOS.
WITHOUT_LINUX = """
import os, select, signal
LINUX = ("pidfd_", "sched_", "memfd_", "eventfd", "timerfd", "posix_fadvise", "posix_fallocate", "splice", "epoll")
for module in (os, select, signal):
    for name in dir(module):
        if name.startswith((*LINUX, "copy_file_range", "getrandom", "O_TMPFILE", "sigtimedwait", "sigwaitinfo")):
            delattr(module, name)
"""


def counted(workplace: ModalPlace) -> list[int]:
    """What the one finished call of `counting` counted."""
    (file,) = workplace.volume.glob("artifacts/counting/*/counted.json")
    found: list[int] = read_json(file)
    return found


def stage_events(workplace: ModalPlace, run: str) -> list[dict[str, Any]]:
    """Events of the call as its containers wrote them."""
    lines = (workplace.volume / "runs" / run / "events" / "counting.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def wait_for_step(workplace: ModalPlace, step: int) -> None:
    """Returns once a checkpoint of at least this step is committed."""

    def there() -> bool:
        marks = workplace.volume.glob("scratch/counting/*/work/out/checkpoint-*/complete")
        return any(int(mark.parent.name.rpartition("-")[2]) >= step for mark in marks)

    wait_until(there, f"a checkpoint at step {step}", seconds=60)


def submitted(workplace: ModalPlace, *overrides: str) -> str:
    """Submits a run and returns its id, with nobody watching it."""
    return str(json.loads(workplace.run("run", "-d", "--json", RECIPE, *overrides).out)["run"])


def assert_whole(workplace: ModalPlace, steps: int = 30) -> None:
    assert counted(workplace) == list(range(1, steps + 1))
    assert not list(workplace.volume.glob("scratch/*/*/**/*")), "something was left in scratch"
    assert not workplace.plane.unknown_rpcs


def test_a_run_gives_what_it_gives_here_and_is_cached_afterwards(workplace: ModalPlace) -> None:
    ended_run = workplace.run(RECIPE, "train.learning_rate=0.001")
    assert "deployed ftrun-" in ended_run.err
    assert "counting             done" in ended_run.err
    assert_whole(workplace)
    there = read_json(workplace.runs()[-1] / "run.json")
    report = (workplace.runs()[-1] / "report.html").read_text()  # made there, with the events of its containers
    assert "counting: training loss from 1.000 at step 1 to 0.033 at step 30" in report
    told = workplace.folder.with_name("told").read_text().split("\n")
    assert told[:-1] == ["format False", "counting False", "done"]  # hooks of a third party, in the scheduler there
    again = workplace.run(RECIPE, "train.learning_rate=0.001")
    assert "deploy" not in again.err
    assert "counting             cached" in again.err

    workplace.run(RECIPE, "train.learning_rate=0.001", "backend=local")
    here = read_json(workplace.runs()[-1] / "run.json")
    for label in ("format", "counting"):
        assert here["results"][label]["artifact"] == there["results"][label]["artifact"]
        assert here["results"][label]["metrics"] == there["results"][label]["metrics"]
        files = {
            store: {
                path.name: path.read_bytes()
                for path in (root / "artifacts" / there["results"][label]["artifact"]).iterdir()
                if path.name != "manifest.json"
            }
            for store, root in (("there", workplace.volume), ("here", workplace.store))
        }
        assert files["here"] == files["there"]


@pytest.mark.slow
def test_a_client_runs_without_functions_that_only_linux_has(workplace: ModalPlace) -> None:
    assert workplace.plugins
    (workplace.plugins / "sitecustomize.py").write_text(WITHOUT_LINUX)
    workplace.run(RECIPE)
    assert_whole(workplace)
    for command in (["validate", RECIPE], ["plan", RECIPE], ["runs"], ["show", "last"], ["files", "last"]):
        workplace.run(*command)
    workplace.run("pull", "last", "counting", "--to", "pulled")


@pytest.mark.slow
def test_what_waits_for_nothing_begins_beside_the_scheduler(workplace: ModalPlace) -> None:
    told = workplace.run(RECIPE).err
    assert "format               done" in told  # by this run, though it was over before the scheduler looked
    assert told.count("format               submitted") == 1
    run = workplace.runs()[-1]
    calls = read_json(run / "run.json")["remote"]["calls"]
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    submitted = [event for event in events if event["kind"] == "call_submitted"]
    assert [event["call"] for event in submitted] == ["format", "counting"]
    assert [event["function_call"] for event in submitted] == [calls["format"][0], calls["counting"][0]]
    assert [call.function for call in workplace.plane.calls()] == ["format-client", "launch", "counting-client"]


@pytest.mark.slow
def test_a_client_that_dies_while_it_submits_leaves_nothing_that_others_wait_for(workplace: ModalPlace) -> None:
    workplace.run("deploy", RECIPE)
    workplace.plane.fail("FunctionMap", "PERMISSION_DENIED")  # once the key was claimed
    assert "submitting the run" in workplace.run(RECIPE, expected=2).err
    assert not workplace.plane.calls()
    workplace.elsewhere().run(RECIPE)
    workplace.run("resume", workplace.runs()[-1].name)
    assert_whole(workplace)


@pytest.mark.slow
def test_a_run_goes_on_alone_and_any_machine_can_look_at_it(workplace: ModalPlace) -> None:
    run = submitted(workplace)
    other = workplace.elsewhere()
    followed = other.run("logs", "-f", run)
    assert "counting             done" in followed.err
    assert f"{run}: done" in followed.out
    workplace.wait_for_end(run)
    shown = other.run("show", run[:4]).out
    assert f"{run}: done" in shown
    assert "counted 30" in shown
    assert run in other.run("runs").out
    assert "counted.json" in other.run("files", run, "counting").out
    other.run("report", run, "--output", "mine.html")
    assert "rows for training" in (other.folder / "mine.html").read_text()
    other.run("pull", run, "counting", "--to", "mine")
    assert read_json(other.folder / "mine" / "counted.json")[-1] == 30
    assert "steps" in other.run("logs", run, "counting").out or (other.store / "runs" / run / "logs").exists()
    assert workplace.run("pull", run, "nothing", expected=2).err.count("no result of `nothing`") == 1
    assert_whole(workplace)


def test_cancelling_stops_the_containers_and_resuming_goes_on(workplace: ModalPlace) -> None:
    run = submitted(workplace, "train.learning_rate=0.4")  # longer than a slow machine takes to cancel
    wait_for_step(workplace, 5)
    assert "interrupted" in workplace.run("cancel", run).out
    wait_until(lambda: not workplace.plane.containers("counting-client"), "the end of the container")
    assert not list(workplace.volume.glob("artifacts/counting/*"))
    assert "interrupted" in workplace.run("show", run).out
    workplace.run("resume", run)
    resumed = [event["step"] for event in stage_events(workplace, run) if event["kind"] == "resumed"]
    assert len(resumed) == 1
    assert resumed[0] >= 5
    assert_whole(workplace)


def test_a_scheduler_that_is_cancelled_later_than_its_call_does_not_submit_it_again(workplace: ModalPlace) -> None:
    run = submitted(workplace, "train.learning_rate=0.4")
    wait_for_step(workplace, 5)
    record = read_json(workplace.volume / "runs" / run / "run.json")
    (call,) = record["remote"]["calls"]["counting"]
    subprocess.run([sys.executable, "-c", CANCEL_CALL, run, call], env=workplace.environment, check=True)
    record = workplace.wait_for_end(run, "interrupted")
    assert record["remote"]["calls"]["counting"] == [call]


def test_leaving_the_terminal_leaves_the_run_going(workplace: ModalPlace) -> None:
    client = workplace.start(RECIPE)
    wait_for_step(workplace, 5)
    os.kill(client.pid, signal.SIGINT)
    left = workplace.end(client, expected=130)
    assert "`ftrun logs -f" in left.err
    assert "Traceback" not in left.err
    workplace.wait_for_end(workplace.runs()[-1].name)
    assert_whole(workplace)


@pytest.mark.parametrize(
    ("function", "grace"),
    [
        pytest.param("counting-client", 30.0, id="stage, with grace"),
        pytest.param("launch", 0.0, id="scheduler, without grace"),
        pytest.param("counting-client", 0.0, id="stage, without grace", marks=pytest.mark.slow),
        pytest.param("launch", 30.0, id="scheduler, with grace", marks=pytest.mark.slow),
    ],
)
def test_preemption_loses_nothing_and_repeats_nothing(function: str, grace: float, workplace: ModalPlace) -> None:
    run = submitted(workplace)
    wait_for_step(workplace, 5)
    workplace.plane.preempt(function, grace)
    record = workplace.wait_for_end(run)
    assert_whole(workplace)
    assert len(record["remote"]["calls"]["counting"]) == 1
    steps = [event["step"] for event in stage_events(workplace, run) if event["kind"] == "progress"]
    if function == "launch":
        assert len(steps) == len(set(steps))  # the stage never noticed
    elif grace:
        resumed = [event["step"] for event in stage_events(workplace, run) if event["kind"] == "resumed"]
        assert resumed[0] % 5 or resumed[0] >= 10  # a checkpoint of the moment, not the last that was due anyway


@pytest.mark.slow
def test_a_container_that_dies_is_tried_again_and_goes_on(workplace: ModalPlace) -> None:
    run = submitted(workplace, "train.seed=14")
    record = workplace.wait_for_end(run)
    assert_whole(workplace)
    assert len(record["remote"]["calls"]["counting"]) == 1
    assert [event["kind"] for event in stage_events(workplace, run)].count("call_started") == 2


def test_a_stage_that_fails_by_its_own_fault_is_not_tried_again(workplace: ModalPlace) -> None:
    failed = workplace.run(RECIPE, "train.seed=13", expected=2)
    assert "row 3 is bad" in failed.err
    assert "rows.jsonl:3" in failed.err
    run = workplace.runs()[-1].name
    assert [event["kind"] for event in stage_events(workplace, run)].count("call_started") == 1


@pytest.mark.slow
def test_a_first_stage_that_fails_is_not_tried_again_by_the_scheduler(workplace: ModalPlace) -> None:
    """The client submits it beside the scheduler, which finds it failed."""
    with (workplace.folder / "rows.jsonl").open("a") as rows:
        rows.write("no row\n")
    run = submitted(workplace)

    def failed_before_the_scheduler_looked() -> bool:
        workplace.plane.preempt("launch", grace=0)
        return all(call.done for call in workplace.plane.calls("format-client"))

    wait_until(failed_before_the_scheduler_looked, "the end of format")
    record = workplace.wait_for_end(run, "failed")
    assert any("the line is not JSON" in problem["what"] for problem in record["problems"])
    assert len(workplace.plane.calls("format-client")) == 1
    workplace.run("resume", run, expected=2)  # whoever resumes has another try
    assert len(workplace.plane.calls("format-client")) == 2


@pytest.mark.slow
def test_a_time_out_after_a_new_checkpoint_is_submitted_again(workplace: ModalPlace) -> None:
    run = submitted(workplace, "resources.counting.timeout=2", "train.learning_rate=0.2")
    record = workplace.wait_for_end(run)
    assert len(record["remote"]["calls"]["counting"]) > 1
    assert_whole(workplace)


@pytest.mark.slow
def test_a_time_out_without_one_fails(workplace: ModalPlace) -> None:
    run = submitted(workplace, "resources.counting.timeout=1", "train.save_steps=30")
    record = workplace.wait_for_end(run, "failed")
    assert record["problems"][0]["code"] == "timeout"
    assert "`counting`" in record["problems"][0]["what"]


@pytest.mark.slow
def test_a_control_plane_that_is_away_for_a_while_is_waited_for(workplace: ModalPlace) -> None:
    run = submitted(workplace)
    wait_for_step(workplace, 5)
    workplace.plane.fail_for(3.0)
    workplace.wait_for_end(run)
    assert_whole(workplace)


@pytest.mark.slow
def test_a_commit_that_fails_once_loses_nothing(workplace: ModalPlace) -> None:
    run = submitted(workplace)
    wait_for_step(workplace, 5)
    workplace.plane.fail("VolumeCommit", "INTERNAL", 1)
    wait_for_step(workplace, 15)
    workplace.plane.fail("VolumeCommit", "INTERNAL", 1)
    workplace.wait_for_end(run)
    assert_whole(workplace)


@pytest.mark.slow
def test_two_runs_at_once_do_each_stage_once(workplace: ModalPlace) -> None:
    workplace.run("deploy", RECIPE)
    other = workplace.elsewhere()
    first, second = submitted(workplace), submitted(other)
    records = [workplace.wait_for_end(run) for run in (first, second)]
    assert_whole(workplace)
    assert records[0]["results"]["counting"]["artifact"] == records[1]["results"]["counting"]["artifact"]
    began = list(workplace.volume.glob("runs/*/events/counting.jsonl"))
    starts = [line for path in began for line in path.read_text().splitlines() if '"call_started"' in line]
    assert len(starts) == 1


@pytest.mark.slow
def test_a_deploy_while_a_run_goes_on_does_not_disturb_it(workplace: ModalPlace) -> None:
    run = submitted(workplace, "train.learning_rate=0.4")  # longer than a slow machine takes to deploy
    wait_for_step(workplace, 5)
    parts = workplace.plugins / "ftrun_counting" / "parts.py"
    parts.write_text(parts.read_text() + "\n# edited\n")
    deployed = workplace.run("deploy", RECIPE, "--prune").out
    assert "is in use" in deployed
    workplace.wait_for_end(run)
    assert "stopped" in workplace.run("deploy", RECIPE, "--prune").out
    assert_whole(workplace)


@pytest.mark.slow
def test_no_app_is_stopped_while_a_record_cannot_be_read(workplace: ModalPlace) -> None:
    workplace.run("deploy", RECIPE)
    parts = workplace.plugins / "ftrun_counting" / "parts.py"
    parts.write_text(parts.read_text() + "\n# edited\n")
    for number, content in enumerate(["", "{", "[]", '{"status": "running", "remote": []}', '{"schema_version": 99}']):
        record = workplace.volume / "runs" / f"broken{number}-mine" / "run.json"
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(content)
    deployed = workplace.run("deploy", RECIPE, "--prune")
    assert "may be in use" in deployed.out
    assert deployed.err.count("so no app is stopped; `ftrun rm broken") == 4
    assert deployed.err.count("so no app is stopped; update ftrun") == 1
    assert workplace.run("runs").out.count("unreadable") == 5
    for number in range(5):
        workplace.run("rm", f"broken{number}-mine", "--yes")
    assert not list(workplace.volume.glob("runs/broken*"))
    assert "stopped" in workplace.run("deploy", RECIPE, "--prune").out


@pytest.mark.slow
def test_an_input_that_was_changed_is_not_read(workplace: ModalPlace) -> None:
    workplace.run(RECIPE, "train.learning_rate=0.001")
    (rows,) = workplace.volume.glob("artifacts/format/*/train.jsonl")
    (counted,) = workplace.volume.glob("artifacts/counting/*")
    content = rows.read_bytes()
    os.utime(rows, ns=(1, 1))
    shutil.rmtree(counted)
    workplace.run(RECIPE, "train.learning_rate=0.001")  # the content is right: only the time changed
    (check,) = workplace.volume.glob("checks/format/*.json")
    assert read_json(check)["times"]["train.jsonl"] == 1
    rows.write_bytes(content[:-2] + b"!" + content[-1:])
    shutil.rmtree(counted)
    failed = workplace.run(RECIPE, "train.learning_rate=0.001", expected=1)
    assert "[damaged-artifact]" in failed.err
    assert f"modal volume rm -r ftrun-store artifacts/format/{rows.parent.name}" in " ".join(failed.err.split())


@pytest.mark.slow
def test_a_container_that_always_dies_is_given_up(workplace: ModalPlace) -> None:
    run = submitted(workplace, "train.seed=15", "resources.counting.retries=1")
    record = workplace.wait_for_end(run, "failed")
    assert record["problems"][0]["code"] == "process-ended"
    assert "`counting`" in record["problems"][0]["what"]
    assert "resources.counting.memory" in record["problems"][0]["hint"]


@pytest.mark.slow
def test_a_scheduler_hands_over_before_its_time_is_up(workplace: ModalPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTRUN_MODAL_LAUNCH_HOURS", str(1.5 / 3600))
    client = workplace.run(RECIPE)
    # on a slow machine the stage ends between two schedulers, and the second finds what it made
    assert re.search(r"counting +(done|cached)", client.err)
    record = workplace.wait_for_end(workplace.runs()[-1].name)
    assert len(record["remote"]["launches"]) > 1
    assert len(record["remote"]["calls"]["counting"]) == 1
    assert_whole(workplace)


@pytest.mark.slow
def test_what_is_asked_of_the_hardware_reaches_modal(workplace: ModalPlace) -> None:
    run = submitted(
        workplace,
        "resources.counting={cpu: 3, memory: 2, timeout: 77, retries: 4, region: us-east}",
        "resources.format={gpu: [L4, T4]}",
    )
    workplace.wait_for_end(run)
    asked = {call.function.partition("-")[0]: call.asked for call in workplace.plane.calls()}
    counting = asked["counting"]
    assert (counting.cpu, counting.memory, counting.timeout) == (3.0, 2000, 77)
    assert (counting.retries, counting.regions) == (4, ("us-east",))
    assert counting.volumes == ("ftrun-store",)


@pytest.mark.slow
def test_a_budget_refuses_what_is_known_to_cost_more(workplace: ModalPlace) -> None:
    workplace.run(RECIPE, "train.learning_rate=0.05")
    dear = ("train.learning_rate=0.06", "resources.counting.cpu=10000")
    refused = workplace.run(RECIPE, *dear, "budget.usd=0.01", expected=2)
    assert "the budget is $0.01" in refused.err
    told = workplace.run("plan", RECIPE, *dear).out
    assert "cost: $0." in told
    assert "prices of 2026-06-01" in told
    assert len(workplace.runs()) == 1


@pytest.mark.slow
def test_doctor_says_what_is_there_and_what_is_not(workplace: ModalPlace) -> None:
    well = workplace.run("doctor").out
    assert "ok       Modal: volume" in well
    assert "ok       Modal: token" in well
    assert "modal secret create huggingface HF_TOKEN=" in well
    workplace.plane.secrets["huggingface"] = {"HUGGINGFACE_TOKEN": "x"}
    assert "ok       Modal: secret huggingface" in workplace.run("doctor").out


def test_without_an_account_the_message_says_how_to_get_one(
    workplace: ModalPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(workplace.plane), "client_environment", {"MODAL_CONFIG_PATH": "/nowhere/modal.toml"})
    refused = workplace.run(RECIPE, expected=2)
    assert "modal token new" in refused.err
    assert "Traceback" not in refused.err


@pytest.mark.slow
def test_a_run_is_done_again_there_and_removed_there(workplace: ModalPlace) -> None:
    workplace.run(RECIPE)
    run = workplace.runs()[-1].name
    other = workplace.elsewhere()
    again = other.run("rerun", run)
    assert "counting             cached" in again.err
    assert f"rerun of {run}" in again.out
    assert read_json(other.runs()[-1] / "run.json")["rerun_of"] == run

    refused = other.run("rm", run, "--artifacts", "--yes", expected=2)
    assert "are not on this machine" in refused.err
    told = other.run("rm", run, "--yes")
    assert f"{run}: record, logs and report, on this machine and on modal; its artifacts on modal stay" in told.out
    assert not (workplace.volume / "runs" / run).exists()
    assert counted(workplace) == list(range(1, 31))
    assert run not in other.run("runs").out
