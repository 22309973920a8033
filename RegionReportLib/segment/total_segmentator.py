"""TotalSegmentator as a program of its own, in this or another Python; its labels become our structures.

Wasserthal et al., Radiology: AI 2023;5:e230024. Weights are never fetched from here, and its usage statistics, which
it sends unless told otherwise, are switched off for the runs that we start.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..errors import InputRefused, NeedMissing
from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume
from ..imaging.write import write_nifti
from ..progress import Progress, Work, part
from .child import Program, run_child
from .given import Given, read_given

# Data sets whose weights a task needs (TotalSegmentator 2.x, totalseg_download_weights); the last one crops.
_WEIGHTS: dict[str, tuple[int, ...]] = {
    "total": (291, 292, 293, 294, 295),
    "total_fast": (297,),
    "lung_nodules": (913, 298),
    "pleural_pericard_effusion": (315, 298),
    "trunk_cavities": (343,),
}
EXTRA_TASKS = ("lung_nodules", "pleural_pericard_effusion", "trunk_cavities")
"""Openly licensed tasks (Apache-2.0) whose structures the anatomy table has."""
# For a scan of 512 × 512 × 280-824 (its own table): GPU 6-11 GB at 1.5 mm, 5-8 GB at 3 mm; memory 8-12 GB.
_NEED_GB = {False: 12, True: 8}
_LESIONS = {"lung_nodule", "pleural_effusion", "pericardial_effusion"}
_LUNGS = {"lung_right", "lung_left"}
_PART = re.compile(r"Predicting part (\d+) of (\d+)")
_PERCENT = re.compile(r"(\d{1,3})%\|")
_REASONS = {
    "No module named 'totalsegmentator'": "is not installed there: pip install TotalSegmentator",
    "license": "this task needs a licence of its makers",
    "URLError": "tried to fetch weights that are missing here, and could not",
    "ConnectionError": "tried to fetch weights that are missing here, and could not",
}


@dataclass(frozen=True, slots=True)
class TotalSegmentator:
    """Segments with the task `total`, at 3 mm if `fast`, and with `extra` tasks; `python` is the interpreter it is in.

    `device` is `gpu`, `cpu` or `gpu:N`. ValueError for a task that is not one of `EXTRA_TASKS`.
    """

    fast: bool = False
    extra: tuple[str, ...] = ()
    python: str = sys.executable
    device: str = "gpu"

    def __post_init__(self) -> None:
        unknown = [task for task in self.extra if task not in EXTRA_TASKS]
        if unknown:
            raise ValueError(f"unknown task {unknown[0]!r}, known are {', '.join(EXTRA_TASKS)}")

    @property
    def name(self) -> str:
        """The name on the command line and in the report."""
        return "totalsegmentator-fast" if self.fast else "totalsegmentator"

    @property
    def need(self) -> str:
        """What it needs, to be said before it is started."""
        return f"about {_NEED_GB[self.fast]} GB of GPU memory, or of memory and many minutes without a GPU"

    def check(self) -> None:
        """Raise NeedMissing if the program or weights of a task are not on this machine."""
        if self.python == sys.executable and find_spec("totalsegmentator") is None:
            raise NeedMissing("TotalSegmentator is not installed here: pip install TotalSegmentator, or name a Python")
        if shutil.which(self.python) is None:
            raise NeedMissing(f"there is no Python at {self.python}")
        held = {folder.name for folder in weights_folder().glob("Dataset*")}
        for task in (f"total{'_fast' if self.fast else ''}", *self.extra):
            if not all(any(name.startswith(f"Dataset{n:03d}_") for name in held) for n in _WEIGHTS[task]):
                raise NeedMissing(
                    f"the weights of {task} are not in {weights_folder()}: totalseg_download_weights -t {task}"
                )

    def segment(self, volume: Volume) -> Work[RegionMasks]:
        """Return masks on the volume's own grid; NeedMissing or ChildFailed say in one line why there are none."""
        self.check()
        with tempfile.TemporaryDirectory(prefix="regionreport-") as name:
            folder = Path(name)
            yield Progress(0.0, "handing the scan over")
            write_nifti(volume, folder / "ct.nii.gz")
            _quiet_home(folder / "home")
            tasks = ("total", *self.extra)
            found = []
            for n, task in enumerate(tasks):
                start, stop = 0.05 + 0.95 * n / len(tasks), 0.05 + 0.95 * (n + 1) / len(tasks)
                found.append((yield from part(self._run(task, folder, volume), start, stop)))
        return _joined([given for given in found if given is not None], self.name)

    def _run(self, task: str, folder: Path, volume: Volume) -> Work[Given | None]:
        """Run one task; None for a further one that found nothing, as most patients have no effusion."""
        out = folder / f"{task}.nii.gz"
        command = [self.python, "-m", "totalsegmentator.bin.TotalSegmentator", "-i", str(folder / "ct.nii.gz")]
        command += ["-o", str(out), "--ml", "--task", task, "--device", self.device]
        command += ["--fast"] if self.fast and task == "total" else []
        environment = {
            "TOTALSEG_HOME_DIR": str(folder / "home"),
            "TOTALSEG_WEIGHTS_PATH": str(weights_folder()),
            "PYTHONUNBUFFERED": "1",
        }
        program = Program("TotalSegmentator", command, environment, _Bar(task).read, _REASONS)
        yield from part(run_child(program), 0.0, 0.9)
        if not out.is_file():
            raise NeedMissing(f"TotalSegmentator said that it was done with {task}, but wrote no masks")
        try:
            given = yield from part(read_given(out, volume), 0.9, 1.0)
        except InputRefused:
            if task == "total":
                raise
            return None
        return given


class _Bar:
    """Reads its progress: parts of a task, and the percentage of each part."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._part, self._parts = 1, 1

    def read(self, line: str) -> Progress | None:
        if found := _PART.search(line):
            self._part, self._parts = int(found[1]), max(int(found[2]), 1)
            return self._at(0)
        if found := _PERCENT.search(line):
            return self._at(min(int(found[1]), 100))
        return None

    def _at(self, percent: int) -> Progress:
        fraction = min((self._part - 1 + percent / 100) / self._parts, 1.0)
        return Progress(fraction, f"TotalSegmentator, {self._task}: part {self._part} of {self._parts}")


def weights_folder() -> Path:
    """Return where TotalSegmentator keeps its weights on this machine."""
    if path := os.environ.get("TOTALSEG_WEIGHTS_PATH"):
        return Path(path)
    return _home() / "nnunet" / "results"


def _home() -> Path:
    return Path(os.environ.get("TOTALSEG_HOME_DIR") or Path.home() / ".totalsegmentator")


def _quiet_home(folder: Path) -> None:
    """Make a settings folder of its own for this run, without statistics; a licence that the user has stays."""
    settings: dict[str, object] = {"totalseg_id": "regionreport", "send_usage_stats": False, "prediction_counter": 0}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):  # none was set
        settings["license_number"] = json.loads((_home() / "config.json").read_bytes())["license_number"]
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")


def _joined(found: list[Given], name: str) -> RegionMasks:
    """Add the masks of further tasks to those of the first: lesions over them, cavities where nothing else is."""
    first = found[0].masks
    structures, labels = first.structures, np.array(first.labels)
    for given in found[1:]:
        for structure in given.masks.structures:
            if structure in _LUNGS:
                continue  # the lobes of the first task are finer
            mask = given.masks.structure(structure)
            if structure not in _LESIONS:
                mask &= labels == 0
            structures = tuple(dict.fromkeys((*structures, structure)))
            labels[mask] = structures.index(structure) + 1
    return RegionMasks(labels, first.grid, structures, name, first.coverage, first.coverage_notes)
