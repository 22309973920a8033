"""Drafting in the panel of the RegionReport module, unchanged, by the real worker: how it goes on, ends and fails."""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import pytest


@pytest.fixture
def desk(module: Any, user: Any, make_reader: Any) -> Any:
    """A reader before the panel, with a CT and no report."""
    return make_reader(module, user)


@pytest.fixture
def quick_desk(desk: Any, ct: Any, phantom: Any) -> Any:
    """The same with regions that need not be found, so that a draft takes seconds less."""
    from RegionReportLib.scene.segmentation_nodes import masks_to_node

    desk.user.choose(desk.ui.segmentationSelector, masks_to_node(ct.GetScene(), ct, phantom.masks))
    return desk


def children() -> list[psutil.Process]:
    """The workers that live; other tests of the same process may have servers of their own running."""
    living = [p for p in psutil.Process().children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]
    return [p for p in living if "RegionReportLib" in " ".join(p.cmdline())]


def nodes() -> set[str]:
    import slicer

    scene = slicer.mrmlScene
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def temporary() -> set[str]:
    return {f.name for f in Path(tempfile.gettempdir()).glob("regionreport-*")}


def left_over(folder: Path) -> list[str]:
    return [f.name for f in folder.rglob("*")] if folder.is_dir() else []


def test_a_draft_streams_its_sentences_and_tells_stage_share_and_time(desk: Any, drafts: Path) -> None:
    told: list[str] = []
    shown: list[str] = []

    def ended() -> bool:
        told.append(desk.status)
        shown.append(desk.text)
        return not desk.module.panel.drafting.running

    ui = desk.ui
    desk.user.click(ui.draftButton)
    assert (ui.draftButton.text, ui.draftProgressBar.visible) == ("Cancel", True)
    assert not ui.inputVolumeSelector.enabled and not ui.reviewArea.visible
    desk.user.wait(ended, 120.0)
    assert (ui.draftButton.text, ui.draftProgressBar.visible) == ("Draft report", False)
    shares = [float(words.split(" %")[0].rpartition(" ")[2]) for words in told if " %" in words]
    assert shares == sorted(shares) and len(set(shares)) > 5
    assert len({words.split(" · ")[0] for words in told}) > 4
    assert any(words.endswith(" left") for words in told)
    streamed = [text for text in shown if "…" in text and "Total lung volume" in text]
    assert streamed, "no sentence was shown before the draft was done"
    for sentence in desk.session.report.sentences:
        assert sentence.text in desk.text
    assert ui.reviewArea.visible
    assert [f.name for f in drafts.iterdir()] == [desk.module.panel.reviewing.desk.folder.name]
    assert temporary() == set()
    surfaces = [desk.regions().GetClosedSurfaceInternalRepresentation(i) for i in desk.opacities()]
    assert any(s is not None and s.GetNumberOfPoints() for s in surfaces)
    desk.choose("Total lung volume")
    assert desk.away_mm(desk.chosen.anchors[0].place.point_mm) < 0.01


def cancelled_at_random(desk: Any, drafts: Path, moments: list[float]) -> None:
    """Start and cancel a draft per moment (in seconds); nothing may be left of any."""
    before = nodes()
    for seconds in moments:
        desk.user.click(desk.ui.draftButton)
        end = time.monotonic() + seconds
        desk.user.wait(lambda end=end: time.monotonic() > end or not desk.module.panel.drafting.running)
        if desk.module.panel.drafting.running:
            desk.user.click(desk.ui.draftButton)
            assert desk.status == "Cancelled; nothing was kept."
            assert nodes() == before
            assert left_over(drafts) == []
        else:  # quicker than the moment: it is whole
            assert desk.session is not None, desk.status
            before = nodes()
            return
        assert children() == []
    assert temporary() == set()


def test_twenty_drafts_cancelled_at_random_moments_leave_nothing(desk: Any, drafts: Path) -> None:
    chance = random.Random(4)
    cancelled_at_random(desk, drafts, [chance.uniform(0.0, 0.8) for _ in range(20)])
    assert desk.session is None


@pytest.mark.slow
def test_a_hundred_drafts_cancelled_at_random_moments_leave_nothing(desk: Any, drafts: Path) -> None:
    chance = random.Random(5)
    cancelled_at_random(desk, drafts, [chance.uniform(0.0, 4.0) for _ in range(100)])


def test_cancelling_while_the_result_is_put_into_the_scene_takes_all_of_it_back(
    desk: Any, ct: Any, drafts: Path
) -> None:
    from RegionReportSlicer.run import new_draft

    before = nodes()
    work = new_draft(ct)
    while next(work).stage != "opening the report":  # the last step, when everything is there
        time.sleep(0.001)
    assert nodes() > before and left_over(drafts)
    work.close()
    assert nodes() == before
    assert left_over(drafts) == [] and temporary() == set()


def test_cancelling_returns_to_the_report_that_was_open(reader: Any) -> None:
    before = nodes()
    reader.choose("Mean lung density")
    reader.user.key("A")
    reader.user.click(reader.ui.draftButton)
    reader.user.wait(lambda: "%" in reader.status)
    assert reader.session is None
    reader.user.click(reader.ui.draftButton)
    assert reader.status == "Cancelled; nothing was kept."
    assert reader.sentence("Mean lung density").verdict.value == "accepted"
    assert nodes() == before


def test_a_worker_killed_at_any_stage_is_told_with_its_reason_and_the_next_draft_works(
    quick_desk: Any, drafts: Path
) -> None:
    from RegionReportSlicer.run import client_of

    before, bar = nodes(), quick_desk.ui.draftProgressBar
    for fraction in (0.0, 0.1, 0.4, 0.8):
        quick_desk.user.click(quick_desk.ui.draftButton)
        quick_desk.user.wait(lambda f=fraction: bar.value >= 1000 * f and client_of().pid is not None, 120.0)
        assert quick_desk.module.panel.drafting.running
        os.kill(client_of().pid, signal.SIGKILL)
        quick_desk.user.wait(lambda: not quick_desk.module.panel.drafting.running)
        assert "killed" in quick_desk.status or "ended" in quick_desk.status
        assert "(while " in quick_desk.status
        assert nodes() == before and left_over(drafts) == [] and temporary() == set()
    quick_desk.draft()
    assert quick_desk.session is not None, quick_desk.status


def test_closing_the_scene_ends_a_draft_without_a_trace(desk: Any, drafts: Path) -> None:
    import slicer

    desk.user.click(desk.ui.draftButton)
    desk.user.wait(lambda: desk.ui.draftProgressBar.value > 50, 60.0)
    slicer.mrmlScene.Clear(0)
    assert not desk.module.panel.drafting.running
    assert children() == [] and left_over(drafts) == [] and temporary() == set()
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode") is None


def test_a_draft_goes_on_while_another_module_is_shown(quick_desk: Any) -> None:
    quick_desk.user.click(quick_desk.ui.draftButton)
    quick_desk.user.wait(lambda: "%" in quick_desk.status)
    quick_desk.user.window.leave(quick_desk.module)
    quick_desk.user.wait(lambda: not quick_desk.module.panel.drafting.running, 120.0)
    assert quick_desk.session is None
    quick_desk.user.window.enter_again(quick_desk.module)
    assert quick_desk.session is not None
    assert "Total lung volume" in quick_desk.text


def test_a_pasted_report_is_tied_to_its_places_by_another_python(
    quick_desk: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import slicer

    clean = {**os.environ, "REGIONREPORT_MARK": "clean"}
    monkeypatch.setattr(slicer.util, "startupEnvironment", lambda: clean)
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\necho "$REGIONREPORT_MARK" > {tmp_path}/mark\nexec {sys.executable} "$@"\n')
    other.chmod(0o755)
    quick_desk.ui.interpreterEdit.currentPath = str(other)
    quick_desk.ui.writerComboBox.currentText = "existing report"
    assert quick_desk.ui.draftButton.text == "Tie to places"
    quick_desk.user.click(quick_desk.ui.draftButton)
    assert "Paste" in quick_desk.status
    quick_desk.user.click(quick_desk.ui.pasteEdit)
    words = "Lungs: Effusion on the right. Heart: The heart is of normal size.\nThe liver is unremarkable."
    quick_desk.ui.pasteEdit.plainText = words
    quick_desk.draft()
    assert (tmp_path / "mark").read_text().strip() == "clean"
    sentences = quick_desk.session.report.sentences
    assert [s.origin.author.value for s in sentences] == ["imported"] * len(sentences)
    assert "upper_abdomen" in quick_desk.sentence("liver").regions
    assert "heart_great_vessels" in quick_desk.sentence("heart is").regions
    quick_desk.choose("Effusion on the right")
    assert {a.place.side.value for a in quick_desk.chosen.anchors} == {"right"}
    assert quick_desk.away_mm(quick_desk.chosen.anchors[0].place.point_mm) < 0.01


def test_a_report_is_read_from_a_text_file_and_what_is_no_text_is_told(desk: Any, tmp_path: Path) -> None:
    def chosen(name: str) -> None:
        desk.choose_path(tmp_path / name)
        desk.user.click(desk.ui.loadTextButton)

    (tmp_path / "dictated.txt").write_text("\ufeffLungs: Erguß rechts.\n", encoding="utf-8")
    (tmp_path / "picture.txt").write_bytes(b"\x89PNG\xff\xfe")
    assert not desk.ui.loadTextButton.visible
    desk.ui.writerComboBox.currentText = "existing report"
    chosen("picture.txt")
    assert "picture.txt cannot be read as text" in desk.status
    assert desk.ui.pasteEdit.plainText == ""
    chosen("dictated.txt")
    assert desk.ui.pasteEdit.plainText == "Lungs: Erguß rechts.\n"


def test_an_existing_segmentation_is_used_and_never_overwritten(desk: Any, phantom: Any, ct: Any) -> None:
    import slicer
    from RegionReportLib.imaging.segments import segments_of

    own = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn by hand")
    own.CreateDefaultDisplayNodes()
    own.SetReferenceImageGeometryParameterFromVolumeNode(ct)
    names = {"lung_right": "Right lung", "lung_left": "left lung"}
    for segment in segments_of(phantom.masks):
        if segment.id in names:
            own.GetSegmentation().AddEmptySegment(segment.id, names[segment.id])
            mask = (phantom.masks.labels[..., None] == list(segment.values)).any(axis=-1)
            slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype("uint8"), own, segment.id, ct)

    def voxels() -> dict[str, int]:
        ids = own.GetSegmentation().GetSegmentIDs()
        return {i: int(slicer.util.arrayFromSegmentBinaryLabelmap(own, i, ct).sum()) for i in ids}

    before = voxels()
    assert before
    desk.user.choose(desk.ui.segmentationSelector, own)
    desk.draft()
    assert desk.session is not None, desk.status
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 1
    assert voxels() == before
    assert own.GetName() == "drawn by hand"
    chosen = desk.choose("Right pleural fluid")
    assert desk.away_mm(chosen.anchors[0].place.point_mm) < 0.01
    assert desk.opacities()["lung_right"] > desk.opacities()["lung_left"]


def test_a_scan_that_is_no_chest_gives_its_reason_in_the_status_line(desk: Any, drafts: Path) -> None:
    import numpy as np
    import slicer

    water = np.full((40, 64, 64), 20, np.int16)
    water[:, :8] = -1000
    node = slicer.util.addVolumeFromArray(water, name="water")
    node.SetSpacing(3.0, 3.0, 5.0)
    before = nodes()
    desk.user.choose(desk.ui.inputVolumeSelector, node)
    desk.draft()
    assert desk.session is None
    assert "lung" in desk.status.lower(), desk.status
    assert nodes() == before and left_over(drafts) == []
