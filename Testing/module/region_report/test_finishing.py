"""The end of a review: signing and what leaves the panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def finish_all(reader: Any) -> None:
    """Look at everything, accept it, and say of what has no place that it has none."""
    reader.judge_all()
    for sentence in reader.session.report.sentences:
        if not sentence.anchors and not sentence.placeless:
            reader.click_link(f"rr:choose/{sentence.id}")
            reader.menu_action("It has no place").trigger()


def test_signing_is_refused_until_all_is_judged_and_viewed_and_locks_then(
    reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("RegionReportSlicer.finishing.confirm_sign", lambda name, count: asked.append(name) or True)
    asked: list[str] = []
    ui = reader.ui
    assert not ui.signButton.enabled
    assert "not judged yet" in ui.signButton.toolTip
    order = len(reader.session.report.sentences)
    finish_all(reader)
    assert f"{order} of {order} judged" in ui.standingLabel.text
    assert "ready to sign" in ui.standingLabel.text
    reader.user.click(ui.signButton)
    assert asked == ["Dr Åse Test"]
    assert "Signed" in ui.standingLabel.text and "Dr Åse Test" in ui.standingLabel.text
    assert reader.session.report.status.value == "signed"
    for button in (ui.acceptButton, ui.rejectButton, ui.editButton, ui.addButton, ui.undoButton, ui.upButton):
        assert not button.enabled
    reader.user.key("Up")
    assert reader.chosen is not None  # pointing goes on
    before = reader.session.report
    for key in ("A", "X", "Return", "N", "S", "M", "Ctrl+Z"):
        reader.user.key(key)
    assert reader.session.report == before


def test_an_addendum_is_a_draft_of_its_own_beside_the_signed_report(
    reader: Any, drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer
    from RegionReportLib.scene.storage import report_nodes, report_of

    monkeypatch.setattr("RegionReportSlicer.finishing.confirm_sign", lambda name, count: True)
    answers = [False, True]
    monkeypatch.setattr("RegionReportSlicer.finishing.confirm_addendum", lambda signature: answers.pop(0))
    finish_all(reader)
    reader.user.click(reader.ui.signButton)
    signed, node = reader.session.report, reader.module.panel.reviewing.desk.report_node
    assert reader.ui.signButton.text == "Addendum…"
    reader.user.click(reader.ui.signButton)
    assert reader.session.report is signed  # asked, and not wanted
    reader.user.click(reader.ui.signButton)
    assert (reader.session.report.predecessor, reader.session.report.sentences) == (signed.id, ())
    assert reader.ui.signButton.text == "Sign…" and not reader.ui.signButton.enabled
    assert "Addendum · 0 of 0 judged" in reader.ui.standingLabel.text
    reader.user.key("N")
    reader.user.type("On review, a small effusion on the left.")
    reader.user.key("Ctrl+Return")
    assert {a.place.side.value for a in reader.chosen.anchors} == {"left"}
    assert reader.away_mm(reader.chosen.anchors[0].place.point_mm) < 0.01
    assert "ready to sign" in reader.ui.standingLabel.text
    reader.user.click(reader.ui.signButton)
    assert reader.session.report.status.value == "signed"
    assert report_of(node) == signed
    assert [report_of(n).predecessor for n in report_nodes(slicer.mrmlScene)] == [None, signed.id]
    assert sorted(f.name.startswith("phantom") for f in drafts.iterdir()) == [False, True]
    reader.user.choose(reader.ui.reportSelector, node)
    assert reader.session.report == signed


def test_the_text_goes_to_the_clipboard(reader: Any) -> None:
    import slicer

    reader.user.click(reader.ui.copyButton)
    text = slicer.app.clipboard().text()
    assert reader.session.report.sentences[0].text in text
    assert "DRAFT" in text


def open_menu(reader: Any) -> Any:
    """Open the export menu by a click and close it, which leaves its lines; return it."""
    reader.user.click(reader.ui.exportButton)
    menu = reader.ui.exportButton.menu()
    assert menu.visible
    menu.close()
    return menu


def export_action(reader: Any, title: str) -> Any:
    """The line of the export menu that begins so."""
    return next(a for a in open_menu(reader).actions() if a.text.startswith(title))


def test_every_export_is_enabled_or_explained(reader: Any, phantom: Any) -> None:
    assert phantom.volume.provenance.dicom is None
    menu = open_menu(reader)
    lines = {action.text.rstrip("…"): action for action in menu.actions()}
    possible = {title for title, action in lines.items() if action.enabled}
    assert {"Plain text for the RIS", "Web page, without pictures", "Report file (JSON)"} <= possible
    for title in ("DICOM SEG: the region masks", "FHIR bundle: the report tied to its images"):
        (line,) = (action for text, action in lines.items() if text.startswith(title))
        assert not line.enabled
        assert "did not come from DICOM" in line.toolTip
    assert all(action.toolTip for action in lines.values()) and menu.toolTipsVisible


def test_the_worker_writes_the_chosen_export_and_a_file_that_is_there_is_asked_about(
    reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, asked, answers = tmp_path / "out", [], [False, True]
    target.mkdir()

    def replace(name: str, folder: Path) -> bool:
        asked.append(name)
        return answers.pop(0)

    def write() -> None:
        reader.choose_path(target)
        export_action(reader, "Web page, without").trigger()
        reader.user.wait(lambda: not reader.module.panel.reviewing.finishing.export.running)

    monkeypatch.setattr("RegionReportSlicer.dialogs.confirm_replace", replace)
    reader.choose("Total lung volume")
    reader.user.key("A")
    write()
    assert "report.html" in reader.status, reader.status
    page = (target / "report.html").read_text(encoding="utf-8")
    assert "1 of " in page and "(right 2.3 L, left 2.5 L)." in page
    assert [f.name for f in target.iterdir()] == ["report.html"]
    (target / "report.html").write_text("mine")
    write()
    assert (target / "report.html").read_text() == "mine"
    write()
    assert asked == ["report.html"] * 2
    assert (target / "report.html").read_text(encoding="utf-8") == page


def test_an_export_that_is_cancelled_leaves_nothing(
    reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("RegionReportSlicer.exporting.ask_target", lambda offer: tmp_path / "out")
    export_action(reader, "Plain text").trigger()
    export_action(reader, "Cancel").trigger()
    assert "cancelled" in reader.status
    assert not reader.module.panel.reviewing.finishing.export.running
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []
