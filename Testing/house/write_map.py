"""Writes the README's map of the library from the tree: `python Testing/house/write_map.py`.

One line per room, from the head of its `__init__.py`, and the names of its files below.
"""

from __future__ import annotations

import ast
import re
import textwrap

from floors import FLOORS, LIBRARY, REPOSITORY


def library_map() -> str:
    """Return the map of all rooms, doors first."""
    lines = ["RegionReportLib/"]
    for room in (room for floor in reversed(FLOORS) for room in floor):
        folder = LIBRARY / room
        if folder.is_dir():
            head = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
            lines.append(f"  {room + '/':<12} {' '.join(head.split(chr(10) * 2)[0].split())}")
            files = " · ".join(sorted(f.stem for f in folder.glob("*.py") if f.stem != "__init__"))
            lines += textwrap.wrap(files, 105, initial_indent=" " * 15, subsequent_indent=" " * 15)
    return "\n".join(lines)


def main() -> None:
    """Rewrite the block in README.md."""
    readme = REPOSITORY / "README.md"
    text = readme.read_text(encoding="utf-8")
    block = f"```text\n{library_map()}\n```"
    found = re.subn(r"^MAP$|```text\nRegionReportLib/\n.*?```", lambda _: block, text, flags=re.DOTALL | re.MULTILINE)
    readme.write_text(found[0], encoding="utf-8")


if __name__ == "__main__":
    main()
