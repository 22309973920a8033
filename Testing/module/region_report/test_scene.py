"""The report and the scene: saved and opened, its nodes removed, renamed or moved, the module left and reloaded."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MODULE = Path(__file__).parents[3] / "RegionReport" / "RegionReport.py"


@pytest.mark.parametrize("kept", ["with its folder", "on another computer"])
def test_a_saved_scene_gives_the_same_report_back_and_goes_on(
    reader: Any, drafts: Path, tmp_path: Path, kept: str
) -> None:
    import slicer
    from RegionReportLib.scene.storage import files_of, report_nodes

    judged = reader.choose("Mean lung density")
    reader.user.key("A")
    before = files_of(report_nodes(slicer.mrmlScene)[0])
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    assert reader.session is None
    assert "No report yet" in reader.text
    if kept == "on another computer":
        shutil.rmtree(drafts)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    reader.user.window.enter_again(reader.module)
    (node,) = report_nodes(slicer.mrmlScene)
    assert files_of(node) == before
    assert reader.ui.reportSelector.currentNode() is node
    assert reader.session.report.sentence(judged.id).verdict.value == "accepted"
    chosen = reader.choose("Right pleural fluid")
    assert reader.away_mm(chosen.anchors[0].place.point_mm) < 0.01
    assert reader.opacities()["lung_right"] > reader.opacities()["lung_left"]
    reader.user.key("X")
    assert reader.chosen.verdict.value == "rejected"
    assert (drafts.iterdir()) and files_of(node) != before
    assert len(list(drafts.iterdir())) == 1
    reader.user.key("Ctrl+Z")
    assert reader.chosen.verdict.value == "pending"


def test_without_its_segmentation_the_report_says_so_and_still_points(reader: Any) -> None:
    import slicer

    slicer.mrmlScene.RemoveNode(reader.regions())
    chosen = reader.choose("Right pleural fluid")
    assert "segmentation of this report was deleted" in reader.status
    assert reader.away_mm(chosen.anchors[0].place.point_mm) < 0.01
    assert not chosen.viewed  # its region was not shown
    reader.user.click_in_view("Red", chosen.anchors[0].place.point_mm)
    assert reader.session.found == ()


def test_without_its_volume_nothing_is_pointed_at(reader: Any, ct: Any) -> None:
    import slicer

    reader.choose("Trachea")
    slicer.mrmlScene.RemoveNode(ct)
    before = reader.away_mm((0.0, 0.0, 0.0))
    reader.choose("Right pleural fluid")
    assert "no longer in the scene" in reader.status
    assert reader.away_mm((0.0, 0.0, 0.0)) == before
    reader.user.key("A")
    assert reader.chosen.verdict.value == "accepted"  # reading goes on


def test_a_renamed_volume_changes_nothing(reader: Any, ct: Any) -> None:
    ct.SetName("something else")
    chosen = reader.choose("Right pleural fluid")
    assert reader.status == ""
    assert reader.away_mm(chosen.anchors[0].place.point_mm) < 0.01


def test_places_move_along_with_the_volume_and_what_stays_behind_is_told(reader: Any, ct: Any) -> None:
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 25.0)
    move = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "move")
    move.SetMatrixTransformToParent(matrix)
    ct.SetAndObserveTransformNodeID(move.GetID())
    chosen = reader.choose("Right pleural fluid")
    x, y, z = chosen.anchors[0].place.point_mm
    assert reader.away_mm((x + 25.0, y, z)) < 0.01
    assert "moved apart" in reader.status
    reader.regions().SetAndObserveTransformNodeID(move.GetID())
    reader.choose("Right pleural fluid")
    assert reader.status == ""
    assert reader.away_mm((x + 25.0, y, z)) < 0.01


def test_a_report_that_another_program_works_on_is_open_for_reading(
    report_node: Any, drafts: Path, load_module: Any, user: Any, make_reader: Any
) -> None:
    from RegionReportLib.report.store import open_draft

    with open_draft(drafts / "phantom", actor="Dr Other"):
        reader = make_reader(load_module(MODULE), user)
        assert "For reading only" in reader.status and "Dr Other" in reader.status
        before = reader.session.report
        reader.choose("Total lung volume")
        assert reader.away_mm(reader.chosen.anchors[0].place.point_mm) < 0.01
        for key in ("A", "X", "N", "Ctrl+Z", "Alt+Down"):
            user.key(key)
        assert reader.session.report is before
        for button in (reader.ui.acceptButton, reader.ui.editButton, reader.ui.addButton, reader.ui.signButton):
            assert not button.enabled
        user.choose(reader.ui.reportSelector, None)
    user.choose(reader.ui.reportSelector, report_node)
    reader.choose("Total lung volume")
    user.key("A")
    assert reader.chosen.verdict.value == "accepted"


def test_two_reports_in_one_scene_are_chosen_by_their_selector(
    reader: Any, ct: Any, phantom: Any, draft_of_phantom: Path, drafts: Path
) -> None:
    from RegionReportLib.scene.storage import ReportFiles, keep_report

    reader.choose("Mean lung density")
    reader.user.key("A")
    first = reader.module.panel.reviewing.desk.report_node
    second_folder = drafts / "second"
    shutil.copytree(draft_of_phantom, second_folder)
    files = ReportFiles(*((second_folder / n).read_bytes() for n in ("report.json", "audit.jsonl", "draft.json")))
    second = keep_report(ct.GetScene(), files, ct, reader.regions())
    reader.user.choose(reader.ui.reportSelector, second)
    assert {s.verdict.value for s in reader.session.report.sentences} == {"pending"}
    reader.user.choose(reader.ui.reportSelector, first)
    assert reader.sentence("Mean lung density").verdict.value == "accepted"
    reader.user.choose(reader.ui.reportSelector, None)
    assert reader.session is None
    assert not reader.ui.acceptButton.visible


def test_leaving_the_module_gives_keys_and_looks_back_and_returning_takes_them_up(reader: Any, ct: Any) -> None:
    before = reader.opacities()
    window = ct.GetDisplayNode().GetWindow()
    chosen = reader.choose("Right pleural fluid")
    assert reader.opacities() != before
    page = reader.module.parent
    reader.user.window.leave(reader.module)
    assert reader.opacities() == before
    assert ct.GetDisplayNode().GetWindow() == window
    reader.user.key("A")
    assert reader.chosen.verdict.value == "pending"
    reader.user.window.enter_again(reader.module)
    assert reader.module.parent is page
    assert reader.chosen.id == chosen.id
    assert reader.opacities() != before
    reader.user.key("A")
    assert reader.chosen.verdict.value == "accepted"


def test_words_being_typed_outlast_another_module(reader: Any) -> None:
    reader.choose("Right pleural fluid")
    reader.user.key("Return")
    reader.user.type(" Typed.")
    reader.user.window.leave(reader.module)
    reader.user.window.enter_again(reader.module)
    assert reader.ui.editor.plainText.endswith(" Typed.")
    reader.ui.editor.setFocus()
    reader.user.key("a")
    assert reader.chosen.verdict.value == "pending"  # still typing
    reader.user.key("Ctrl+Return")
    assert "Typed." in reader.chosen.text


def test_how_places_are_shown_is_kept_in_the_scene_and_takes_effect_at_once(reader: Any, ct: Any) -> None:
    display = ct.GetDisplayNode()
    own = display.GetWindow()
    reader.user.click(reader.ui.settingsButton, (40, 10))
    reader.choose("Trabecular")
    assert display.GetWindow() != own
    box = reader.ui.followWindowCheckBox
    reader.user.click(box, (8, box.height // 2))
    assert display.GetWindow() == own
    parameters = reader.module.logic.getParameterNode()
    assert parameters.followWindow is False
    assert parameters.report is reader.module.panel.reviewing.desk.report_node


@pytest.fixture
def modules_back() -> Iterator[None]:
    """Reloading forgets the library; the tests after this one keep the one they know."""

    def known() -> dict[str, Any]:
        return {
            n: m for n, m in sys.modules.items() if n.partition(".")[0] in ("RegionReportLib", "RegionReportSlicer")
        }

    before = known()
    yield
    for name in known():
        del sys.modules[name]
    sys.modules.update(before)


def test_reloading_reads_all_code_anew_and_returns_to_the_report(
    reader: Any, modules_back: None, slicer_app: Any
) -> None:
    import slicer

    old = sys.modules["RegionReportLib.review.session"]
    reader.choose("Mean lung density")
    reader.user.key("A")
    reader.module.onReload()
    reader.module = slicer.modules.RegionReportWidget
    assert sys.modules["RegionReportLib.review.session"] is not old
    assert reader.sentence("Mean lung density").verdict.value == "accepted"
    reader.choose("Right pleural fluid")
    reader.user.key("X")
    assert reader.chosen.verdict.value == "rejected"
