"""VoxTell as a program of its own, in this or another Python: words become masks of a scan.

Rokuss et al., VoxTell, CVPR 2026, arXiv:2511.11450. No segmenter of regions: it looks for what it is told. Weights
are those in a folder on this machine and are never fetched from here. What the masks mean for a sentence is decided in
`draft.find_places`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..errors import NeedMissing
from ..imaging.masks import BoolArray, Slices
from ..imaging.volume import Volume
from ..places import models_home
from ..progress import Progress, Work, aside, part
from .child import Program, run_child
from .voxtell_space import turned, turned_back

PYTHON_VARIABLE = "REGIONREPORT_VOXTELL_PYTHON"
"""Names the Python that VoxTell is installed in, if it is another one than this."""
FOLDER_NAME = "voxtell"
_MODEL = Path("voxtell_v1.1")
_WEIGHTS = _MODEL / "fold_0" / "checkpoint_final.pth"
_FILES = (_MODEL / "plans.json", _WEIGHTS, Path("config.json"), Path("tokenizer.json"))
# Vectors of words that its makers worked out beforehand; without the file the language model reads every phrase.
_BANK = Path("embeddings") / "voxtell_v1.1" / "text_embeddings.npz"
# Each phrase takes a float16 volume of the scan's size on the GPU beside the windows.
_AT_ONCE = 4
_AIR_HU = -1024
# Nothing is asked of the network, and output comes when it is written.
_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
}
_PROGRESS = re.compile(r"^progress (\d\.\d+) (.+)$")
_REASONS = {
    "No module named 'voxtell'": "is not installed there: pip install voxtell",
    "Weights only load failed": "its weights hold more than plain numbers, and are not opened for that",
    "DefaultCPUAllocator": "not enough memory",
    "is not a local folder": "its language model is not complete in the models folder",
}


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Part of a scan: the voxels `where` (slices k, j, i) and in `mask` which of them are meant."""

    where: Slices
    mask: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class PhraseMasks:
    """What was found: a cut for each phrase, None where nothing was; `method` names VoxTell and its weights' digest."""

    method: str
    cuts: tuple[Cut | None, ...]


@dataclass(frozen=True, slots=True)
class VoxTell:
    """Looks for phrases with the weights in `folder`; `python` is the interpreter VoxTell is in.

    `folder` None is `voxtell` in the models folder. `device` is `auto`, `cuda`, `cuda:N` or `cpu`.
    """

    folder: Path | None = None
    python: str = ""
    device: str = "auto"

    @property
    def need(self) -> str:
        """What it needs, to be said before it is started."""
        return "about 9 GB of GPU memory and a minute, or without a GPU 12 GB of memory and many minutes"

    def check(self) -> None:
        """Raise NeedMissing if the program or its weights are not on this machine."""
        python = self._python()
        if python == sys.executable and find_spec("voxtell") is None:
            raise NeedMissing(
                f"VoxTell is not installed here: pip install voxtell, or name its Python: {PYTHON_VARIABLE}"
            )
        if shutil.which(python) is None:
            raise NeedMissing(f"there is no Python at {python}")
        folder = self._folder()
        absent = [file.as_posix() for file in _FILES if not (folder / file).is_file()]
        if absent:
            raise NeedMissing(f"{folder} lacks {', '.join(absent)}; regionreport models fetch {FOLDER_NAME}")

    def find(self, volume: Volume, phrases: Sequence[str]) -> Work[PhraseMasks]:
        """Return what each phrase means in a scan; NeedMissing or ChildFailed say in one line why nothing came."""
        self.check()
        digest = yield from part(_digest(self._folder() / _WEIGHTS), 0.0, 0.05)
        with tempfile.TemporaryDirectory(prefix="regionreport-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            handing = Progress(0.05, "handing the scan over")
            yield from aside(lambda: np.save(folder / "ct.npy", _to_hand_over(volume)), handing)
            (folder / "job.json").write_text(json.dumps(self._job(folder, phrases)), encoding="utf-8")
            command = [self._python(), str(Path(__file__).with_name("voxtell_child.py")), str(folder / "job.json")]
            program = Program("VoxTell", command, _ENVIRONMENT, _progress_of, _REASONS)
            yield from part(run_child(program), 0.1, 0.9)
            cuts = []
            for number in range(len(phrases)):
                yield Progress(0.9 + 0.1 * number / len(phrases), "reading the masks")
                cuts.append(_cut(folder / f"{number}.npy", volume))
        return PhraseMasks(f"VoxTell, weights {digest[:12]}", tuple(cuts))

    def _job(self, folder: Path, phrases: Sequence[str]) -> dict[str, object]:
        bank = self._folder() / _BANK
        return {
            "image": str(folder / "ct.npy"),
            "phrases": list(phrases),
            "model": str(self._folder() / _MODEL),
            "text_model": str(self._folder()),
            "bank": str(bank) if bank.is_file() else None,
            "device": self.device,
            "at_once": _AT_ONCE,
            "out": str(folder),
        }

    def _folder(self) -> Path:
        return self.folder or models_home() / FOLDER_NAME

    def _python(self) -> str:
        return self.python or os.environ.get(PYTHON_VARIABLE) or sys.executable


def lacking() -> str:
    """Return what keeps VoxTell from running on this machine, empty if nothing does."""
    try:
        VoxTell().check()
    except NeedMissing as reason:
        return str(reason)
    return ""


def _to_hand_over(volume: Volume) -> np.ndarray:
    """Return the scan as VoxTell reads it: axes to head, front and right; padding is air, as it moves the mean."""
    return np.ascontiguousarray(np.maximum(turned(volume.hu, volume.grid), _AIR_HU))


def _cut(file: Path, volume: Volume) -> Cut | None:
    """Return the smallest part of the scan that holds a mask; NeedMissing if the program left none."""
    if not file.is_file():
        raise NeedMissing("VoxTell said that it was done, but wrote no masks")
    k, j, i = turned(np.broadcast_to(np.uint8(0), volume.grid.shape_kji), volume.grid).shape
    bits = np.unpackbits(np.load(file, allow_pickle=False), count=k * j * i).reshape(k, j, i)
    mask = turned_back(bits, volume.grid)
    spans = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        held = np.flatnonzero(mask.any(axis=others))
        if not held.size:
            return None
        spans.append(slice(int(held[0]), int(held[-1]) + 1))
    where = (spans[0], spans[1], spans[2])
    return Cut(where, np.ascontiguousarray(mask[where]).astype(bool))


def _progress_of(line: str) -> Progress | None:
    found = _PROGRESS.match(line)
    return Progress(min(float(found[1]), 1.0), f"VoxTell: {found[2]}") if found else None


def _digest(path: Path) -> Work[str]:
    sha = hashlib.sha256()
    size = max(path.stat().st_size, 1)
    with path.open("rb") as file:
        while chunk := file.read(1 << 24):
            sha.update(chunk)
            yield Progress(min(1.0, file.tell() / size), "reading the digest of VoxTell's weights")
    return sha.hexdigest()
