"""Each contract passes for a part that is right, and finds every fault that one may have."""

from __future__ import annotations

import pytest

from contracts.broken import BROKEN, Broken


def _id(broken: Broken) -> str:
    return f"{broken.tests.split('import ')[1].split('Contract')[0]}: {broken.fault}"


@pytest.mark.parametrize("broken", BROKEN, ids=_id)
def test_a_contract_finds_a_fault(broken: Broken, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(parts=broken.parts, test_it=broken.tests)
    pytester.syspathinsert()
    found = pytester.inline_run("-p", "no:cacheprovider", "-q", "-W", "error")
    failed = {report.location[2].removeprefix("TestPart.").partition("[")[0] for report in found.getfailures()}
    assert failed == set(broken.failing)
    passed, _, _ = found.listoutcomes()
    assert len(passed) > 5
