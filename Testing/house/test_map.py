"""The README's map of the house equals the tree: a reader finds what it names, and it names what is there."""

from __future__ import annotations

import re

from floors import LIBRARY, REPOSITORY


def mapped() -> dict[str, set[str]]:
    """Rooms and their files as the README's map tells them."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```text\nRegionReportLib/\n(.*?)```", readme, re.DOTALL)
    assert block is not None, "README.md has no map of RegionReportLib"
    rooms: dict[str, set[str]] = {}
    for line in block.group(1).splitlines():
        room = re.match(r"  (\w+)/ ", line)
        if room:
            rooms[room.group(1)] = set()
            current = room.group(1)
        elif line.strip():
            rooms[current] |= {stem.strip() for stem in line.split("·") if stem.strip()}
    return rooms


def test_the_map_in_the_readme_equals_the_tree() -> None:
    tree = {
        room.name: {f.stem for f in room.glob("*.py")} - {"__init__"}
        for room in LIBRARY.iterdir()
        if room.is_dir() and room.name != "__pycache__"
    }
    assert mapped() == tree
