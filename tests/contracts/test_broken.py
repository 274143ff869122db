"""Each contract passes for a part that is right, and finds every fault that one may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from helpers.broken_components import BROKEN, Broken


def _id(broken: Broken) -> str:
    return f"{broken.tests.split('import ')[1].split('Contract')[0]}: {broken.fault}"


def _some() -> Iterator[Any]:
    """The part without a fault and two faulty ones of each contract; the others are for the drill."""
    seen: Counter[str] = Counter()
    for broken in BROKEN:
        name = _id(broken)
        seen[broken.tests] += 1
        yield pytest.param(broken, id=name, marks=() if seen[broken.tests] <= 3 else pytest.mark.drill)


@pytest.mark.parametrize("broken", list(_some()))
def test_a_contract_finds_a_fault(broken: Broken, pytester: pytest.Pytester) -> None:
    """All of it runs for the part without a fault; for others those tests that have to find it."""
    pytester.makepyfile(parts=broken.parts, test_it=broken.tests)
    pytester.syspathinsert()
    chosen = ["-k", " or ".join(broken.failing)] if broken.failing else []
    found = pytester.inline_run("-p", "no:cacheprovider", "-q", "-W", "error", *chosen)
    failed = {report.location[2].removeprefix("TestPart.").partition("[")[0] for report in found.getfailures()}
    assert failed == set(broken.failing)
    passed, skipped, _ = found.listoutcomes()
    assert not skipped
    assert chosen or len(passed) > 8
