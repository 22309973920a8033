"""A report travels with the scene and comes back byte for byte, with its volume and segmentation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="the scene needs slicer-core: pip install regionreport[scene]")

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.box import Box
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.report_file import report_bytes
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence
from RegionReportLib.review.highlight import highlight_of
from RegionReportLib.scene.pointing import SceneViewer
from RegionReportLib.scene.segmentation_nodes import masks_to_node
from RegionReportLib.scene.space import SceneProblem
from RegionReportLib.scene.storage import (
    ReportFiles,
    files_of,
    keep_report,
    remove_report,
    report_nodes,
    report_of,
    segmentation_node_of,
    volume_node_of,
)
from RegionReportLib.scene.volume_nodes import volume_to_node

from scene_host import center_of, chest, saved_and_loaded

if TYPE_CHECKING:
    from pathlib import Path

    from scene_host import Host

WORDS = 'Größe 4,2 × 3 mm — "<b>&amp;</b>" | ~ ^\ttab\r\nline, 肺, \u2028 and 🫁'
TRAIL = (json.dumps({"words": WORDS}, ensure_ascii=False) + "\n" + json.dumps({"seq": 2}) + "\n").encode()


def report(host: Host, name: str = "r1") -> Report:
    volume, masks = chest()
    x, y, z = center_of("heart_great_vessels", masks.grid)
    place = Place("heart_great_vessels", Box((x - 20, y - 20, z - 20), (x + 20, y + 20, z + 20)), (x, y, z))
    sentence = Sentence(
        "s1",
        WORDS,
        ("heart_great_vessels",),
        (Anchor(place, AnchorSource.WORDING),),
        Polarity.PRESENT,
        Origin(Author.READER),
    )
    return Report(
        id=name,
        study=Study("CT", volume.digest(), volume.grid),
        coverage=dict.fromkeys(REGION_IDS, Coverage.COMPLETE),
        coverage_notes={},
        places=(place,),
        measurements=(),
        sentences=(sentence,),
        writer="measured",
        segmenter="blocks",
        created_at="2026-01-02T03:04:05Z",
    )


def in_scene(host: Host) -> tuple[Any, Any]:
    volume, masks = chest()
    volume_node = volume_to_node(host.scene, volume, "CT")
    return volume_node, masks_to_node(host.scene, volume_node, masks)


def test_a_report_comes_back_from_its_node(host: Host) -> None:
    volume_node, segmentation_node = in_scene(host)
    made = report(host)
    files = ReportFiles(report_bytes(made), TRAIL, report_bytes(made))
    node = keep_report(host.scene, files, volume_node, segmentation_node)
    assert files_of(node) == files
    assert report_of(node) == made
    assert volume_node_of(node) is volume_node and segmentation_node_of(node) is segmentation_node


@pytest.mark.parametrize("kind", ["mrb", "mrml"])
def test_a_saved_report_is_byte_identical_and_still_points_right(host: Host, tmp_path: Path, kind: str) -> None:
    volume_node, segmentation_node = in_scene(host)
    files = ReportFiles(report_bytes(report(host)), TRAIL, b"\t{ }\n")
    kept = keep_report(host.scene, files, volume_node, segmentation_node)
    assert kept.GetEncodingAsString() == "UTF-8"
    again = saved_and_loaded(host, tmp_path, kind)
    (node,) = report_nodes(again.scene)
    assert files_of(node) == files
    loaded = report_of(node)
    slices, _ = again.add_views()
    viewer = SceneViewer(again.scene, volume_node_of(node), segmentation_node_of(node), loaded.study.grid)
    shown = highlight_of(loaded.sentences[0])
    assert viewer.point_at(shown) == ()
    assert np.allclose(viewer.world_point(shown.point_ras_mm), shown.point_ras_mm, atol=1e-6)
    assert slices[0].GetSliceToRAS().GetElement(2, 3) == pytest.approx(shown.point_ras_mm[2], abs=1e-6)
    display = segmentation_node_of(node).GetDisplayNode()
    assert display.GetSegmentOpacity3D("heart_great_vessels") == 1.0 > display.GetSegmentOpacity3D("lung_left")


def test_several_reports_stay_apart(host: Host, tmp_path: Path) -> None:
    volume_node, segmentation_node = in_scene(host)
    contents = [ReportFiles(report_bytes(report(host, name)), name.encode() + b"\n") for name in ("r1", "r2", "r3")]
    nodes = [keep_report(host.scene, files, volume_node, segmentation_node) for files in contents]
    remove_report(host.scene, nodes[1])
    again = saved_and_loaded(host, tmp_path, "mrb")
    assert [files_of(node) for node in report_nodes(again.scene)] == [contents[0], contents[2]]


def test_a_report_is_replaced_in_its_own_node(host: Host) -> None:
    volume_node, segmentation_node = in_scene(host)
    first = ReportFiles(report_bytes(report(host)), TRAIL, b"{}")
    node = keep_report(host.scene, first, volume_node, segmentation_node)
    before = host.node_ids()
    second = ReportFiles(report_bytes(report(host, "r9")), TRAIL + b"more\n", b"{}")
    assert keep_report(host.scene, second, volume_node, None, into=node) is node
    assert files_of(node) == second and host.node_ids() == before
    assert segmentation_node_of(node) is None
    keep_report(host.scene, ReportFiles(second.report), volume_node, None, into=node)
    assert files_of(node) == ReportFiles(second.report)


def test_removing_a_report_leaves_the_scene_as_it_was(host: Host) -> None:
    volume_node, segmentation_node = in_scene(host)
    before = host.node_ids()
    remove_report(host.scene, keep_report(host.scene, ReportFiles(report_bytes(report(host)), TRAIL), volume_node))
    assert host.node_ids() == before and segmentation_node.GetScene() is host.scene


def test_text_changed_in_the_scene_is_noticed(host: Host) -> None:
    volume_node, _ = in_scene(host)
    node = keep_report(host.scene, ReportFiles(report_bytes(report(host))), volume_node)
    node.SetText(node.GetText().replace("measured", "reader"), 3)
    with pytest.raises(InputRefused, match="was changed in the scene"):
        report_of(node)


def test_line_ends_of_another_system_are_no_change(host: Host) -> None:
    volume_node, _ = in_scene(host)
    files = ReportFiles(report_bytes(report(host)), TRAIL)
    node = keep_report(host.scene, files, volume_node)
    node.SetText(node.GetText().replace("\n", "\r\n"), 3)
    assert files_of(node) == files


def test_other_text_is_no_report(host: Host) -> None:
    volume_node, _ = in_scene(host)
    host.scene.AddNewNodeByClass("vtkMRMLTextNode", "note").SetText("{}")
    assert report_nodes(host.scene) == []
    before = host.node_ids()
    with pytest.raises(InputRefused):
        keep_report(host.scene, ReportFiles(b"{}"), volume_node)
    assert host.node_ids() == before


def test_a_report_whose_scan_is_gone_says_so(host: Host) -> None:
    volume_node, segmentation_node = in_scene(host)
    node = keep_report(host.scene, ReportFiles(report_bytes(report(host))), volume_node, segmentation_node)
    host.scene.RemoveNode(volume_node)
    host.scene.RemoveNode(segmentation_node)
    assert segmentation_node_of(node) is None
    with pytest.raises(SceneProblem, match="is no longer in the scene"):
        volume_node_of(node)
