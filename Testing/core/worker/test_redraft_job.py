"""A region written anew in a real worker: measured without a scan, by a model that is still open with its scan."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.progress import finish
from RegionReportLib.report.edits import Accept, MarkPlaceless, MarkViewed
from RegionReportLib.report.json_form import sentence_from_dict
from RegionReportLib.report.sentence import Author
from RegionReportLib.report.signing import may_sign
from RegionReportLib.report.store import open_draft, view_draft
from RegionReportLib.worker import job as worker_job
from RegionReportLib.worker.client import worker_command
from RegionReportLib.worker.job import draft_job
from RegionReportLib.worker.messages import (
    Draft,
    Drafted,
    ErrorKind,
    Failed,
    JobCancelled,
    Redraft,
    Redrafted,
)
from RegionReportLib.worker.redraft_job import redraft_job
from RegionReportLib.worker.scans import hand_over_masks, hand_over_scan

from .block_chest import chest


@pytest.fixture
def worker(drive: Callable[..., Any]) -> Any:
    return drive(worker_command(sys.executable))


def drafted(worker: Any, tmp_path: Path, **more: Any) -> Drafted:
    """Draft the chest of blocks with its own masks; the handed-over scan is gone afterwards."""
    volume, masks = chest()
    scan, given = hand_over_scan(volume, tmp_path / "ct.npy"), hand_over_masks(masks, tmp_path / "given.npy")
    told = worker.finish("classical", scan=finish(scan), masks=finish(given), **more)
    assert isinstance(told[-1], Drafted), told[-1]
    (tmp_path / "ct.npy").unlink()
    return told[-1]


def written_anew(worker: Any, folder: str, region: str, **more: Any) -> list[Any]:
    worker.count += 1
    worker.client.start(Redraft(f"job{worker.count}", folder, region, **more))
    return worker.until(lambda told: bool(told) and isinstance(told[-1], Redrafted | Failed | JobCancelled))  # type: ignore[no-any-return]


def content(folder: str) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in Path(folder).iterdir()}


def test_the_measured_writer_needs_no_scan_and_says_the_same_again(worker: Any, tmp_path: Path) -> None:
    folder = drafted(worker, tmp_path).output
    before = content(folder)
    last = written_anew(worker, folder, "bones", seed=4)[-1]
    assert isinstance(last, Redrafted), last
    bones = [s for s in view_draft(Path(folder)).report.sentences if s.regions == ("bones",)]
    assert [replace(sentence_from_dict(s), flags=()) for s in last.sentences] == [replace(s, flags=()) for s in bones]
    assert (last.region, last.writer, last.model, last.seed) == ("bones", "measured", "", None)
    assert content(folder) == before
    failed = written_anew(worker, folder, "brain")[-1]
    assert (failed.kind, "unknown region 'brain'" in failed.reason) == (ErrorKind.REFUSED, True)


def test_a_signed_report_is_refused(worker: Any, tmp_path: Path) -> None:
    folder = drafted(worker, tmp_path).output
    with open_draft(Path(folder), actor="Dr A") as draft:
        for one in draft.report.sentences:
            draft.apply(MarkViewed(one.id) if one.anchors else MarkPlaceless(one.id))
            draft.apply(Accept(one.id))
        assert may_sign(draft.report, "Dr A") == ()
        draft.sign("Dr A")
    failed = written_anew(worker, folder, "bones")[-1]
    assert (failed.kind, "signed and locked" in failed.reason) == (ErrorKind.CONFLICT, True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a small network whose words are known."""
    words = pytest.importorskip("known_words", reason="torch is not installed")
    return str(words.save_model(tmp_path_factory.mktemp("model")))


def drafted_here(folder: Path, model: str) -> str:
    """Draft with the network as a worker does, in this process; the scan is gone afterwards."""
    volume, masks = chest()
    scan, given = hand_over_scan(volume, folder / "ct.npy"), hand_over_masks(masks, folder / "given.npy")
    made = Draft("first", finish(scan), str(folder / "report"), "2026-01-01T00:00:00+00:00", masks=finish(given))
    by_model = replace(made, writer="region-tokens", model=model, device="cpu")
    finish(draft_job(by_model, lambda sentence: None))
    (folder / "ct.npy").unlink()
    return str(folder / "report")


def test_a_model_that_drafted_is_still_open_and_so_is_the_scan(model: str, tmp_path: Path) -> None:
    from known_words import CLEAR, NODULE

    folder = drafted_here(tmp_path, model)
    before = content(folder)
    again = Redraft("again", folder, "bones", writer="region-tokens", model=model, device="cpu")
    stages: set[str] = set()
    told: list[dict[str, object]] = []
    last = finish(redraft_job(again, told.append), lambda progress: stages.add(progress.stage))
    assert stages and not stages & {"opening the model", "reading the slices", "taking over the scan"}
    said = [sentence_from_dict(s) for s in last.sentences]
    assert [s.text for s in said if s.origin.author is Author.MODEL] == [NODULE, CLEAR]
    assert {s.asked_about for s in said} == {"bones"}
    assert [one["id"] for one in told][:2] == ["model-bones-1", "model-bones-2"] and len(told) == len(said)
    name, digest = last.model.split(" ")
    assert (name, len(digest), last.seed) == ("hand-made", 64, None)
    assert finish(redraft_job(replace(again, seed=11), told.append)).seed == 11
    assert content(folder) == before

    worker_job._warm.cache_clear()  # as in a new worker, which has never seen the scan
    with pytest.raises(InputRefused, match="is not there"):
        finish(redraft_job(again, told.append))
    volume, masks = chest()
    other = finish(hand_over_scan(replace(volume, hu=volume.hu + np.int16(1)), tmp_path / "other.npy"))
    with pytest.raises(InputRefused, match="not the scan that the report was made on"):
        finish(redraft_job(replace(again, scan=other), told.append))
    scan = finish(hand_over_scan(volume, tmp_path / "same.npy"))
    given = finish(hand_over_masks(masks, tmp_path / "regions.npy"))
    last = finish(redraft_job(replace(again, scan=scan, masks=given), told.append))
    assert [s["text"] for s in last.sentences] == [s.text for s in said]


def test_a_redraft_that_is_closed_leaves_everything_as_it_was(model: str, tmp_path: Path) -> None:
    folder = drafted_here(tmp_path, model)
    before = content(folder)
    work = redraft_job(
        Redraft("again", folder, "lungs", writer="region-tokens", model=model, device="cpu"), lambda sentence: None
    )
    for _ in range(3):
        next(work)
    work.close()
    assert content(folder) == before
