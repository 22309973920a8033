"""Importing a door, or anything up to the report, loads no heavy package and has no effect."""

from __future__ import annotations

import subprocess
import sys

from floors import FLOORS, LIBRARY, module_of, sources

HEAVY = ("torch", "transformers", "monai", "peft", "accelerate", "highdicom", "slicer", "vtk", "trame", "ray")
LIGHT_ROOMS = {room for floor in FLOORS[:4] for room in floor} | {"cli"}


def light_modules() -> list[str]:
    names = [module_of(p) for p in sources()]
    return [".".join((LIBRARY.name, *name)) for name in names if name and name[0] in LIGHT_ROOMS]


def test_light_rooms_load_nothing_heavy_and_print_nothing() -> None:
    imports = "; ".join(f"import {name}" for name in light_modules())
    probe = f"import sys; {imports}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "error", "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert not done.stderr


def test_the_command_line_door_opens_without_imaging_libraries() -> None:
    wanted = "('SimpleITK', 'nibabel', 'pydicom')"
    probe = f"import sys, RegionReportLib.cli.main; print([m for m in {wanted} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
