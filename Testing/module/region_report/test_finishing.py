"""The end of a review: signing and what leaves the panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_signing_is_refused_until_all_is_judged_and_viewed_and_locks_then(
    reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("RegionReportSlicer.reviewing.confirm_sign", lambda name, count: asked.append(name) or True)
    asked: list[str] = []
    ui = reader.ui
    assert not ui.signButton.enabled
    assert "not judged yet" in ui.signButton.toolTip
    order = len(reader.session.report.sentences)
    reader.judge_all()
    for sentence in reader.session.report.sentences:  # those about no place need a word about it
        if not sentence.anchors and not sentence.placeless:
            reader.click_link(f"rr:choose/{sentence.id}")
            reader.menu_action("It has no place").trigger()
    assert f"{order} of {order} judged" in ui.standingLabel.text
    assert "ready to sign" in ui.standingLabel.text
    reader.user.click(ui.signButton)
    assert asked == ["Dr Åse Test"]
    assert "Signed" in ui.standingLabel.text and "Dr Åse Test" in ui.standingLabel.text
    assert reader.session.report.status.value == "signed"
    for button in (ui.acceptButton, ui.rejectButton, ui.editButton, ui.addButton, ui.undoButton, ui.signButton):
        assert not button.enabled
    reader.user.key("Up")
    assert reader.chosen is not None  # pointing goes on
    before = reader.session.report
    for key in ("A", "X", "Return", "N", "S", "M", "Ctrl+Z"):
        reader.user.key(key)
    assert reader.session.report == before


def test_the_text_goes_to_the_clipboard_and_the_page_to_a_file(reader: Any, tmp_path: Path) -> None:
    import slicer

    reader.user.click(reader.ui.copyButton)
    text = slicer.app.clipboard().text()
    assert reader.session.report.sentences[0].text in text
    assert "DRAFT" in text

    def name_file(dialog: Any) -> None:
        dialog.setOption(dialog.DontUseNativeDialog, True)
        dialog.selectFile(str(tmp_path / "out.html"))
        dialog.accept()

    reader.user.in_dialog(name_file)
    reader.user.click(reader.ui.exportButton)
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "(right 2.3 L, left 2.5 L)." in page
    assert "out.html" in reader.status
