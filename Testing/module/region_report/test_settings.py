"""The settings of this computer: kept from day to day, folders shown with their size and cleared of what is ours."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest


def test_drafts_are_counted_and_cleared_except_the_one_under_work(
    reader: Any, drafts: Path, draft_of_phantom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("RegionReportSlicer.folders.confirm_clear", lambda what, warning: asked.append(what) or True)
    shutil.copytree(draft_of_phantom, drafts / "older")
    (drafts / "holiday pictures").mkdir()
    reader.user.click(reader.ui.settingsButton, (40, 10))
    assert "2 drafts" in reader.ui.draftsSizeLabel.text
    reader.user.click(reader.ui.draftsClearButton)
    assert [what.partition(" (")[0] for what in asked] == ["1 draft"]
    assert sorted(f.name for f in drafts.iterdir()) == ["holiday pictures", "phantom"]
    reader.choose("Mean lung density")
    reader.user.key("A")
    assert reader.chosen.verdict.value == "accepted"


def test_models_are_counted_and_cleared_except_folders_that_are_not_ours(
    reader: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr("RegionReportSlicer.folders.confirm_clear", lambda *told: asked.append(told) or True)
    models = tmp_path / "models"
    for name, size in (("reg2rg", 3_000_000), ("my own", 100)):
        (models / name).mkdir(parents=True)
        (models / name / "weights.safetensors").write_bytes(bytes(size))
    reader.user.click(reader.ui.settingsButton, (40, 10))
    reader.ui.modelsEdit.currentPath = str(models)
    assert reader.ui.modelsSizeLabel.text == "1 model, 3.0 MB"
    reader.user.click(reader.ui.modelsClearButton)
    assert asked == [("1 model (3.0 MB)", "They must be fetched again to be used.")]
    assert [f.name for f in models.iterdir()] == ["my own"]
    assert not reader.ui.modelsClearButton.enabled


def test_what_is_chosen_is_there_again_and_reaches_the_worker(
    module: Any, make_reader: Any, user: Any, slicer_app: Any, tmp_path: Path
) -> None:
    from RegionReportSlicer.run import client_of

    models = tmp_path / "models folder"
    module.ui.deviceComboBox.currentText = "cpu"
    module.ui.modelsEdit.currentPath = str(models)
    desk = make_reader(slicer_app.reload(module), user)
    assert (desk.ui.deviceComboBox.currentText, desk.ui.modelsEdit.currentPath) == ("cpu", str(models))
    desk.ui.writerComboBox.currentText = "reg2rg"
    user.click(desk.ui.draftButton)
    user.wait(lambda: client_of().job is not None)
    job = client_of().job
    assert (job.writer, job.device, job.segmenter, job.model) == ("reg2rg", "cpu", "classical", str(models / "reg2rg"))
    user.wait(lambda: not desk.module.panel.drafting.running, 120.0)
    assert f"no model folder at {models}" in desk.status
    assert desk.session is None
