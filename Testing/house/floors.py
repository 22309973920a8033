"""What the house tests know of the house: its floors, and how to read imports from source text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
LIBRARY = REPOSITORY / "RegionReportLib"

# From the ground up; a room may import rooms of lower floors only.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "progress", "places", "cores"),
    ("anatomy",),
    ("imaging",),
    ("report",),
    ("segment", "measure", "model", "grounding", "export", "evaluate", "phantom"),
    ("draft", "train"),
    ("review", "worker", "cohort", "ablation"),
    ("scene",),
    ("web",),
    ("cli",),  # the command line opens the browser door
)
FLOOR_OF = {room: level for level, floor in enumerate(FLOORS) for room in floor}


def sources() -> list[Path]:
    """All Python files of the library."""
    return sorted(LIBRARY.rglob("*.py"))


def module_of(path: Path) -> tuple[str, ...]:
    """The dotted name of a file as a tuple, without the library's own name."""
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported_modules(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield `(line, module)` for each import of the library by a file, hidden and type-only ones included."""
    return imports_in(path.read_text(encoding="utf-8"), path.relative_to(LIBRARY).parts[:-1])


def imports_in(text: str, package: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield `(line, module)` for each import of the library in a source text that lives in `package`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = tuple(alias.name.split("."))
                if parts[0] == LIBRARY.name:
                    yield node.lineno, parts[1:]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                target = base + (tuple(node.module.split(".")) if node.module else ())
            elif node.module and node.module.split(".")[0] == LIBRARY.name:
                target = tuple(node.module.split(".")[1:])
            else:
                continue
            for alias in node.names:
                deeper = (*target, alias.name)
                is_module = LIBRARY.joinpath(*deeper).with_suffix(".py").exists() or LIBRARY.joinpath(*deeper).is_dir()
                yield node.lineno, deeper if is_module else target
