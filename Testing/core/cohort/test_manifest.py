"""The manifest remembers each study once and hands each out once."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from RegionReportLib.cohort.manifest import MANIFEST_NAME, Counts, Manifest, _folder_of
from RegionReportLib.cohort.order import Done, Failed, Settings
from RegionReportLib.cohort.table import StudyRow
from RegionReportLib.draft.choose import WriterChoice
from RegionReportLib.errors import Conflict, InputRefused
from RegionReportLib.progress import finish

SETTINGS = Settings("2026-01-01T00:00:00+00:00")


def rows(*names: str) -> list[StudyRow]:
    return [StudyRow(name, f"/scans/{name}.nii") for name in names]


def filled(folder: Path, *names: str) -> Manifest:
    manifest = Manifest(folder)
    finish(manifest.take_in(iter(rows(*names))))
    return manifest


def test_taking_the_same_list_in_again_changes_nothing(tmp_path: Path) -> None:
    manifest = filled(tmp_path, "b", "a")
    manifest.record(Done("b", "d" * 64, {"read": 1.0}, 10))
    assert finish(manifest.take_in(iter(rows("b", "a", "c")))) == 1
    assert [(e.row.id, e.state) for e in manifest.entries()] == [("b", "done"), ("a", "waiting"), ("c", "waiting")]


def test_an_id_that_comes_twice_is_refused_and_nothing_is_taken_in(tmp_path: Path) -> None:
    manifest = filled(tmp_path, "a")
    with pytest.raises(InputRefused, match="'b' comes twice"):
        finish(manifest.take_in(iter(rows("a", "b", "c", "b"))))
    assert manifest.counts() == Counts(waiting=1)


def test_an_id_that_stands_for_another_scan_now_is_refused(tmp_path: Path) -> None:
    manifest = filled(tmp_path, "a")
    with pytest.raises(InputRefused, match=r"'a' was .*a\.nii.* before and is .*other\.nii"):
        finish(manifest.take_in(iter([StudyRow("a", "/scans/other.nii")])))


def test_each_waiting_study_is_handed_out_once_in_order_and_only_when_asked_for(tmp_path: Path) -> None:
    names = [f"s{n}" for n in range(250)]
    manifest = filled(tmp_path, *names)
    orders = manifest.orders(SETTINGS)
    first = [order.row.id for order in islice(orders, 3)]
    assert manifest.counts() == Counts(waiting=247, running=3)
    manifest.record(Failed("s1", "refused", "no chest"))  # is not handed out again in this run
    assert first + [order.row.id for order in orders] == names
    assert all(entry.attempts == 1 for entry in manifest.entries())


def test_what_was_running_waits_again_and_failures_only_if_wished(tmp_path: Path) -> None:
    manifest = filled(tmp_path, "a", "b")
    orders = manifest.orders(SETTINGS)
    next(orders), next(orders)
    manifest.record(Failed("b", "refused", "no chest"))
    manifest.close()
    again = Manifest(tmp_path)
    again.put_back(failed=False)
    assert again.counts() == Counts(waiting=1, failed=1)
    again.put_back(failed=True)
    assert again.counts() == Counts(waiting=2)


def test_a_cohort_keeps_the_settings_it_was_begun_with(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    assert manifest.settle(SETTINGS) == SETTINGS
    assert manifest.settle(Settings("2027-02-02T00:00:00+00:00")) == SETTINGS, "all studies carry one time"
    with pytest.raises(Conflict, match="begun with the writer"):
        manifest.settle(Settings(SETTINGS.created_at, writer=WriterChoice("reg2rg")))


def test_another_file_under_the_manifests_name_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_NAME).write_bytes(b"not a database, but long enough to have a header of one" * 10)
    with pytest.raises(InputRefused, match="no manifest"):
        Manifest(tmp_path)
    assert (tmp_path / MANIFEST_NAME).read_bytes().startswith(b"not a database")


@given(st.sets(st.text(min_size=1, max_size=120), min_size=2, max_size=8))
def test_any_ids_have_folders_of_their_own_within_the_cohort(ids: set[str]) -> None:
    folders = [_folder_of(name) for name in ids]
    assert len({folder.lower() for folder in folders}) >= len({name.lower() for name in ids})
    for folder in folders:
        place, name = folder.split("/")
        assert place == "studies"
        assert 0 < len(name) <= 120
        assert not name.startswith(".")
        assert not set(name) & set('<>:"/\\|?*\0\n ')


def test_ids_that_differ_in_case_alone_have_two_folders_everywhere(tmp_path: Path) -> None:
    folders = [entry.folder.lower() for entry in filled(tmp_path, "P-1", "p-1").entries()]
    assert len(set(folders)) == 2


@pytest.mark.parametrize("name", ["..", ".", "con", "NUL.txt", "a.", "-", "a/b", "é", "x" * 300])
def test_names_that_a_file_system_may_not_take_are_replaced(name: str) -> None:
    folder = _folder_of(name)
    assert folder != f"studies/{name}"
    assert folder[-13] == "-"


@pytest.mark.parametrize("name", ["x", "train_1_a_1", "1.2.840.113619.2.55", "P-17"])
def test_plain_names_stay_readable(name: str) -> None:
    assert _folder_of(name) == f"studies/{name}"
