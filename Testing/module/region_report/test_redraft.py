"""A region written anew from the panel: by measurements, by a model, cancelled; and what a model says of its words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models that holds a small network whose words are known."""
    words = pytest.importorskip("known_words", reason="torch is not installed")
    folder = tmp_path_factory.mktemp("models")
    words.save_model(folder / "region-tokens", "demonstration model, trained on phantoms, not for patients")
    return folder


def offered(reader: Any, region: str) -> dict[str, Any]:
    """The entries of the menu for a region, by what they say."""
    redrafting = reader.module.panel.redrafting
    assert redrafting.fill(region)
    return {action.text: action for action in redrafting._menu.actions()}


def finished(reader: Any) -> None:
    reader.user.wait(lambda: not reader.module.panel.redrafting.running, 240.0)


def test_the_measured_writer_says_the_same_and_nothing_changes(reader: Any) -> None:
    before = reader.session.report
    offered(reader, "bones")["measured (built in, needs no model)"].trigger()
    assert (reader.ui.draftButton.text, reader.ui.draftProgressBar.visible) == ("Cancel", True)
    finished(reader)
    assert reader.status == "Osseous structures: the writer says the same as before; nothing was changed."
    assert (reader.ui.draftButton.text, reader.ui.draftProgressBar.visible) == ("Draft report", False)
    assert reader.session.report == before


def test_writers_that_cannot_say_why_and_the_link_opens_the_menu(reader: Any, tmp_path: Path) -> None:
    import qt

    qt.QSettings().setValue("RegionReport/ModelsFolder", str(tmp_path))
    menu = offered(reader, "lungs")
    assert not menu["Redraft: Lungs"].enabled
    assert menu["Reg2RG (language model, research use)"].toolTip == "It writes whole reports only."
    (own,) = (action for text, action in menu.items() if text.startswith("region tokens"))
    if not own.enabled:  # an installation without the model of the program
        assert "no model folder at" in own.toolTip
    reader.click_link("rr:redraft/lungs")
    shown = reader.module.panel.redrafting._menu
    assert shown.visible
    shown.close()
    reader.module.panel.reviewing.close()
    assert not reader.module.panel.redrafting.fill("lungs")


@pytest.mark.slow
def test_a_models_words_stand_beside_the_measured_ones_marked_as_a_demonstration(reader: Any, models: Path) -> None:
    import qt

    import known_words

    qt.QSettings().setValue("RegionReport/ModelsFolder", str(models))
    reader.ui.deviceComboBox.currentText = "cpu"
    before = reader.session.report
    (own,) = (action for text, action in offered(reader, "lungs").items() if text.startswith("region tokens"))
    assert own.enabled
    own.trigger()
    reader.user.wait(lambda: "%" in reader.status)
    reader.user.click(reader.ui.draftButton)
    assert reader.status == "Cancelled; the report is as it was."
    assert reader.session.report == before and not reader.module.panel.redrafting.running

    own = next(a for text, a in offered(reader, "lungs").items() if text.startswith("region tokens"))
    own.trigger()
    finished(reader)
    assert "sentences written anew, 0 replaced. Undo takes it back." in reader.status, reader.status
    shown = reader.choose(known_words.NODULE)
    assert shown.asked_about == "lungs" and shown.origin.label.startswith("demonstration model")
    assert "demonstration model" in reader.text.replace("\N{NO-BREAK SPACE}", " ")
    assert f"agreement {shown.support:.2f}" in reader.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Box of the model at" in reader.text
    assert {s.id for s in before.sentences} <= {s.id for s in reader.session.report.sentences}
    reader.module.panel.reviewing.act("undo")
    while reader.session.report.sentences != before.sentences:
        assert known_words.NODULE in reader.text
        reader.module.panel.reviewing.act("undo")
