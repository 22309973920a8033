"""What tests of doors and jobs share that find places: the stand-in of VoxTell as a Python of its own, and a report.

The chest is blocks on an oblique, anisotropic, left-handed grid, with a bright nodule of 27 voxels in the right lung
and one of 125 in the left. The stand-in finds what is bright on the side that a phrase names.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage
from RegionReportLib.grounding.anchors import ground
from RegionReportLib.grounding.contradictions import check
from RegionReportLib.grounding.places import places_of
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.imaging.mask_files import write_masks
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.imaging.volume import Provenance, Volume
from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.progress import finish
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.lock import LOCK_NAME
from RegionReportLib.report.store import create_draft
from RegionReportLib.segment.voxtell import PYTHON_VARIABLE

FOREIGN = Path(__file__).parents[1] / "core" / "segment"
GRID = Grid((40, 56, 60), np.array([[-5, 0.4, 0, 150], [0.3, 5.5, 1, -160], [0, -0.6, 7.5, -250], [0, 0, 0, 1]]))
BLOCKS = {
    "lung_right": (slice(10, 34), slice(12, 44), slice(6, 22)),
    "lung_left": (slice(10, 34), slice(12, 44), slice(38, 54)),
    "mediastinum": (slice(14, 38), slice(28, 34), slice(24, 36)),
}
SMALL, LARGE = (slice(20, 23), slice(20, 23), slice(10, 13)), (slice(20, 25), slice(20, 25), slice(44, 49))
TEXTS = "A right nodule is seen. No pleural effusion. Left nodule of 9 mm. The trachea is open."


def use_stand_in(folder: Path, patch: pytest.MonkeyPatch, act: str = "") -> None:
    """Let VoxTell be the stand-in, with all its files in a models folder; `act` makes it fail, see its head."""
    python = folder / "voxtell_python"
    paths = os.pathsep.join(str(FOREIGN / name) for name in ("foreign", "foreign_torch"))
    python.write_text(f'#!/bin/sh\nACT="{act}" PYTHONPATH="{paths}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    weights = folder / "models" / "voxtell"
    for name in (
        "voxtell_v1.1/plans.json",
        "voxtell_v1.1/fold_0/checkpoint_final.pth",
        "config.json",
        "tokenizer.json",
    ):
        (weights / name).parent.mkdir(parents=True, exist_ok=True)
        (weights / name).write_text("{}")
    patch.setenv(PYTHON_VARIABLE, str(python))
    patch.setenv("REGIONREPORT_MODELS", str(folder / "models"))


def chest() -> tuple[Volume, RegionMasks]:
    """The scan with its masks."""
    labels, hu = np.zeros(GRID.shape_kji, np.uint8), np.full(GRID.shape_kji, -1000, np.int16)
    hu[:, 4:-4, 3:-3] = -10
    for number, (name, where) in enumerate(BLOCKS.items(), start=1):
        labels[where] = number
        hu[where] = -10 if name == "mediastinum" else -850
    for where in (SMALL, LARGE):
        hu[where] = 60
    coverage = dict.fromkeys(REGION_IDS, Coverage.COMPLETE)
    return Volume(hu, GRID, Provenance("made up", "test")), RegionMasks(
        labels, GRID, tuple(BLOCKS), "made up", coverage, {}
    )


def report_folder(folder: Path, text: str = TEXTS) -> Path:
    """Write the scan as `folder`/ct.nii.gz and the report of it, with its masks, into `folder`/report."""
    volume, masks = chest()
    write_nifti(volume, folder / "ct.nii.gz")
    volume = finish(read_volume(folder / "ct.nii.gz"))
    masks = RegionMasks(masks.labels, volume.grid, masks.structures, masks.method, masks.coverage, {})
    places = finish(places_of(masks))
    study = Study(str(folder / "ct.nii.gz"), volume.digest(), volume.grid)
    sentences = ground(text, places)
    created = "2026-01-01T00:00:00+00:00"
    report = Report("r1", study, masks.coverage, {}, places, (), sentences, "imported", masks.method, created)
    made = folder / "report"
    create_draft(made, report, actor="writer", check=check)
    (made / LOCK_NAME).unlink(missing_ok=True)
    write_masks(masks, made)
    return made
