"""The RegionReport module, unchanged, from an empty scene to a signed report: real worker, real scene, real clicks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[2] / "RegionReport" / "RegionReport.py"


@pytest.fixture
def own_settings(tmp_path: Path, slicer_app: Any) -> Path:
    """Drafts and settings of the test go to a folder of its own."""
    import qt

    qt.QSettings().setValue("RegionReport/DraftsFolder", str(tmp_path / "drafts"))
    qt.QSettings().setValue("RegionReport/Reader", "Dr Åse Test")
    return tmp_path / "drafts"


@pytest.fixture(scope="session")
def phantom() -> Any:
    from RegionReportLib.phantom.case import make_case
    from RegionReportLib.phantom.recipe import Finding, FindingKind, Recipe, Scan
    from RegionReportLib.progress import finish

    effusion = Finding(FindingKind.EFFUSION, 400.0)
    return finish(make_case(Recipe(5, findings=(effusion,), scan=Scan(rows=96, step_mm=5.0))))


@pytest.fixture
def ct(clean_scene: Any, phantom: Any) -> Any:
    from RegionReportLib.scene.volume_nodes import volume_to_node

    return volume_to_node(clean_scene, phantom.volume, "CT chest")


@pytest.fixture
def module(load_module: Callable[[Path], Any], own_settings: Path, ct: Any) -> Any:
    return load_module(FILE)


def draft(module: Any, user: Any) -> None:
    user.click(module.ui.draftButton)
    user.wait(lambda: not module.panel.drafting.running)
    assert module.panel.reviewing.session is not None, module.ui.statusLabel.text


def test_a_phantom_is_drafted_reviewed_and_signed(module: Any, user: Any, own_settings: Path, tmp_path: Path) -> None:

    draft(module, user)
    user.picture("/tmp/panel1.png")
    session = module.panel.reviewing.session
    texts = [s.text for s in session.report.sentences]
    shown = module.ui.sentenceBrowser.toPlainText()
    for text in texts:
        assert text in shown
    user.key("Down")
    user.picture("/tmp/panel2.png")
    assert session.chosen.id == session.report.sentences[0].id
