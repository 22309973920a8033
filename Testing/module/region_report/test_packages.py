"""The packages that 3D Slicer lacks are asked for once, with their sizes; declining leaves the panel usable."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def test_without_its_packages_the_module_asks_once_and_stays_usable_when_declined(
    module: Any, slicer_app: Any, make_reader: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import slicer

    absent = ["cc3d", "edt"]
    asked: list[str] = []
    installed: list[list[str]] = []
    answers = [False, True]

    def ask(text: str, **_: Any) -> bool:
        asked.append(text)
        return answers.pop(0)

    def install(wanted: list[str]) -> None:
        installed.append(wanted)
        absent.clear()

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", ask)
    monkeypatch.setattr(slicer.util, "pip_install", install)
    from RegionReportSlicer import packages

    monkeypatch.setattr(packages, "missing", lambda: tuple(absent))
    desk = make_reader(slicer_app.reload(module), user)
    assert asked == []  # opening the module asks nothing
    user.click(desk.ui.draftButton)
    assert len(asked) == 1
    assert "cc3d, edt; about 13 MB" in asked[0]
    assert "cannot draft without cc3d, edt" in desk.status
    assert desk.module.panel is None and installed == []
    user.click(desk.ui.draftButton)
    assert len(asked) == 2
    assert any(word.startswith("edt") for word in installed[0])
    assert desk.module.panel.drafting.running
    user.click(desk.ui.draftButton)


def test_newer_slicers_install_with_their_own_helper_and_do_not_ask_twice(
    module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import slicer
    from RegionReportSlicer import packages

    absent, called = ["edt"], []

    def pip_ensure(wanted: list[str], **options: Any) -> None:
        called.append((wanted, options))
        absent.clear()

    newer = ModuleType("slicer.packaging")
    newer.pip_ensure = pip_ensure
    monkeypatch.setitem(sys.modules, "slicer.packaging", newer)
    monkeypatch.setattr(packages, "missing", lambda: tuple(absent))
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, **_: True)
    (tmp_path / "requirements.txt").write_text("# light ones\nedt>=2.4,<3.2\n")
    packages.ensure(tmp_path / "requirements.txt")
    assert called == [(["edt>=2.4,<3.2"], {"prompt_install": False, "requester": "RegionReport"})]
