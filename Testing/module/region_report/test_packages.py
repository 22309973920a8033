"""The packages that 3D Slicer lacks are asked for once, with their sizes; declining leaves the panel usable."""

from __future__ import annotations

import sys
from importlib.util import find_spec
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


@pytest.fixture
def learned(module: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A Slicer without PyTorch and transformers: what is asked, what the user answers, what is installed."""
    import slicer
    from RegionReportSlicer import packages

    state: dict[str, Any] = {"absent": ["torch", "transformers"], "asked": [], "answer": False, "installed": []}

    def ask(text: str, **_: Any) -> bool:
        state["asked"].append(text)
        return bool(state["answer"])

    def install(wanted: list[str]) -> None:
        state["installed"] += wanted
        state["absent"] = [name for name in state["absent"] if name == "torch"]

    def find(name: str) -> object:
        return None if name in state["absent"] else find_spec(name)

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", ask)
    monkeypatch.setattr(slicer.util, "pip_install", install)
    monkeypatch.setattr(packages, "find_spec", find)
    return state


def with_torch_extension(learned: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the extension that knows which build of PyTorch suits the computer."""

    class PyTorchUtilsLogic:
        def installTorch(self, askConfirmation: bool = False) -> ModuleType:
            learned["absent"].remove("torch")
            return ModuleType("torch")

    extension = ModuleType("PyTorchUtils")
    extension.PyTorchUtilsLogic = PyTorchUtilsLogic
    monkeypatch.setitem(sys.modules, "PyTorchUtils", extension)


def test_a_learned_writer_names_its_packages_with_sizes_and_declining_leaves_the_measured_one(
    learned: dict[str, Any], module: Any, make_reader: Any, user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_torch_extension(learned, monkeypatch)
    desk = make_reader(module, user)
    desk.ui.writerComboBox.currentText = "reg2rg"
    user.click(desk.ui.draftButton)
    assert "PyTorch (1 to 6 GB" in learned["asked"][0] and "transformers (about 60 MB)" in learned["asked"][0]
    assert "measured writer needs none" in desk.status
    assert not desk.module.panel.drafting.running and learned["installed"] == []
    desk.ui.writerComboBox.currentText = "measured"
    user.click(desk.ui.draftButton)
    assert desk.module.panel.drafting.running and len(learned["asked"]) == 1
    user.click(desk.ui.draftButton)


def test_pytorch_comes_from_its_extension_and_the_rest_from_the_index(
    learned: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from RegionReportSlicer import packages

    learned["answer"] = True
    with pytest.raises(RuntimeError, match="install the extension PyTorch"):
        packages.ensure_learned(("torch", "transformers"))
    assert learned["asked"] == []  # nothing is asked that cannot be done
    with_torch_extension(learned, monkeypatch)
    packages.ensure_learned(("torch", "transformers"))
    assert learned["installed"] == ["transformers>=5.0,<5.24"]
    packages.ensure_learned(("torch", "transformers"))
    assert len(learned["asked"]) == 1


def test_what_is_installed_for_learned_writers_is_what_the_library_was_tested_with(module: Any) -> None:
    from RegionReportLib.draft.choose import WRITERS
    from RegionReportSlicer import packages

    project = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    for name, (requirement, _) in packages.LEARNED.items():
        assert f'"{requirement}"' in project, name
    for kind in WRITERS.values():
        assert set(kind.packages) <= {"torch", *packages.LEARNED}
