"""The place of a sentence found by its words from the panel: offered beside its own, cancelled, refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from RegionReportLib.report.place import AnchorSource

from voxtell_stand_in import use_stand_in


@pytest.fixture
def finding(reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The search of the panel, with the stand-in of VoxTell in a models folder of the settings."""
    import qt

    use_stand_in(tmp_path, monkeypatch)
    monkeypatch.delenv("REGIONREPORT_MODELS")
    qt.QSettings().setValue("RegionReport/ModelsFolder", str(tmp_path / "models"))
    return reader.module.panel.finding


def finished(reader: Any) -> None:
    reader.user.wait(lambda: not reader.module.panel.finding.running, 240.0)


def test_the_words_of_a_sentence_find_its_place(
    reader: Any, finding: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fluid = reader.choose("pleural fluid")
    reader.menu_action("Find it by its words (P)").trigger()
    assert (reader.ui.draftButton.text, reader.ui.draftProgressBar.visible) == ("Cancel", True)
    finished(reader)
    assert reader.status.startswith("Found for “right pleural fluid”"), reader.status
    assert (reader.ui.draftButton.text, reader.ui.draftProgressBar.visible) == ("Draft report", False)
    after = reader.chosen
    assert after.anchors[: len(fluid.anchors)] == fluid.anchors
    found = after.anchors[len(fluid.anchors)]
    assert found.source is AnchorSource.VOXTELL
    assert "VoxTell, weights 44136fa355b3, for “right pleural fluid”" in reader.text.replace("\N{NO-BREAK SPACE}", " ")
    assert reader.away_mm(found.place.point_mm) < 0.01, "the views have gone to what was found"
    reader.module.panel.reviewing.act("undo")
    while reader.chosen.anchors != fluid.anchors:
        reader.module.panel.reviewing.act("undo")

    use_stand_in(tmp_path, monkeypatch, "hang")
    before = reader.session.report
    finding.start()
    reader.user.wait(lambda: "VoxTell" in reader.status, 240.0)
    reader.user.click(reader.ui.draftButton)
    assert reader.status == "Cancelled; the report is as it was."
    assert reader.session.report == before and not finding.running


def test_what_affirms_nothing_is_refused_with_the_reason(reader: Any, finding: Any) -> None:
    reader.session.choose(None)
    finding.start()
    assert reader.status.startswith("Choose a sentence first")
    reader.choose("lung volume")
    finding.start()
    finished(reader)
    assert "names no finding" in reader.status
