"""Imports point down, rooms of one floor do not know each other, and no module needs itself in a circle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from floors import FLOOR_OF, LIBRARY, imported_modules, imports_in, module_of, sources


def test_every_room_stands_on_a_floor() -> None:
    rooms = {p.name for p in LIBRARY.iterdir() if p.is_dir() and p.name != "__pycache__"}
    rooms |= {p.stem for p in LIBRARY.glob("*.py")} - {"__init__"}
    assert rooms <= set(FLOOR_OF)


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(LIBRARY)))
def test_imports_point_down(path: Path) -> None:
    own = module_of(path)[:1]
    for line, target in imported_modules(path):
        if not own or not target or target[0] == own[0]:
            continue
        assert FLOOR_OF[target[0]] < FLOOR_OF[own[0]], f"{path.name}:{line} imports {'.'.join(target)} from {own[0]}"


def test_no_module_needs_itself() -> None:
    graph = {module_of(p): {t for _, t in imported_modules(p) if t and t != module_of(p)} for p in sources()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"import circle: {circle.args[1]}")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("def f():\n    from ..cli import main", ("cli", "main")),
        ("if TYPE_CHECKING:\n    from RegionReportLib.cli.main import main", ("cli", "main")),
        ("import RegionReportLib.cli.main", ("cli", "main")),
        ("from .grid import Grid", ("imaging", "grid")),
        ("from .. import errors", ("errors",)),
    ],
)
def test_the_reader_of_imports_sees_every_form(source: str, target: tuple[str, ...]) -> None:
    # A check that cannot fail is none.
    assert [module for _, module in imports_in(source, ("imaging",))] == [target]
