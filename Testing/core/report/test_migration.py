"""Older report files are brought up to date, newer ones refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.report.document import Report
from RegionReportLib.report.json_form import report_to_dict
from RegionReportLib.report.migration import NewerSchema, migrate

STEPS = {1: lambda d: {**d, "second": True}, 2: lambda d: {k: v for k, v in d.items() if k != "first"}}


def test_todays_files_pass_unchanged(drafted: Report) -> None:
    value = report_to_dict(drafted)
    assert migrate(value) == value


def test_steps_follow_each_other_up_to_the_target() -> None:
    old = {"schema": "regionreport.report/1", "first": 1}
    assert migrate(old, STEPS, "regionreport.report/3") == {"schema": "regionreport.report/3", "second": True}
    assert old == {"schema": "regionreport.report/1", "first": 1}


def test_a_newer_file_is_refused_by_name() -> None:
    with pytest.raises(NewerSchema, match=r"schema regionreport\.report/2; this program knows up to .*/1"):
        migrate({"schema": "regionreport.report/2"})


def test_a_missing_step_is_told() -> None:
    with pytest.raises(InputRefused, match="no step leads from"):
        migrate({"schema": "regionreport.report/1"}, {}, "regionreport.report/2")


@pytest.mark.parametrize(
    "value", [None, [], {}, {"schema": 1}, {"schema": "regionreport.report/0"}, {"schema": "other/1"}, {"schema": {}}]
)
def test_what_is_no_report_is_refused(value: Any) -> None:
    with pytest.raises(InputRefused, match="not a report"):
        migrate(value)
