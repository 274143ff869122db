"""Events are found in output, wherever it is cut and whatever stands around them."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ftrun_plugins.modal.event_protocol import Markers, encode_event

EVENTS = st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3).map(
    lambda more: {**more, "kind": "note"}
)
NOISE = st.binary(max_size=30).filter(lambda text: b"::ftrun" not in text)


@given(st.lists(st.tuples(NOISE, EVENTS), max_size=6), st.integers(1, 40))
def test_all_events_are_found_in_order(parts: list[tuple[bytes, dict[str, str]]], size: int) -> None:
    output = b"".join(noise + encode_event(event) for noise, event in parts)
    markers = Markers()
    found = [event for at in range(0, len(output), size) for event in markers.read(output[at : at + size])]
    assert found == [event for _, event in parts]


def test_a_bar_that_left_its_line_open_hides_no_event() -> None:
    line = b"50%|#####     | 5/10 ::ftrun " + json.dumps({"kind": "progress"}).encode() + b"\n"
    assert list(Markers().read(line)) == [{"kind": "progress"}]


def test_what_only_looks_like_an_event_is_text() -> None:
    assert list(Markers().read(b'::ftrun {"kind"\n::ftrun [1]\n::ftrun {"no": 1}\n')) == []
