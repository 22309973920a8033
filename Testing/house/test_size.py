"""Files and functions stay small enough to read in one sitting."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from floors import LIBRARY, sources

LINES_PER_FILE = 300
LINES_PER_FUNCTION = 40
ATTIC_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "tools", "data"}


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(LIBRARY)))
def test_a_file_fits_in_the_head(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_PER_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            first = node.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
            length = (node.end_lineno or 0) - node.lineno + 1 - docstring
            assert length <= LINES_PER_FUNCTION, f"{path.name}:{node.lineno} {node.name} has {length} lines"


def test_no_room_is_an_attic() -> None:
    names = {p.stem for p in LIBRARY.rglob("*") if p.is_dir() or p.suffix == ".py"}
    assert not names & ATTIC_NAMES


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(LIBRARY)))
def test_public_things_say_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{path.name} has no head"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}:{node.lineno} {node.name} has no docstring"
