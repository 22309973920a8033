"""A few small studies whose masks are given, so that drafting one takes a second."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from RegionReportLib.imaging.seg_nrrd import write_segmentation
from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.phantom.case import make_case
from RegionReportLib.phantom.recipe import Recipe, Scan
from RegionReportLib.progress import finish


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scan of one phantom and its masks."""
    folder = tmp_path_factory.mktemp("patient")
    case = finish(make_case(Recipe(seed=4, scan=Scan(rows=64, step_mm=6.0))))
    write_nifti(case.volume, folder / "ct.nii.gz")
    write_segmentation(case.masks, folder / "masks.seg.nrrd")
    return folder


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory, patient: Path) -> Path:
    """A table of four studies; the second scan is no image, the third does not exist."""
    folder = tmp_path_factory.mktemp("studies")
    for name in ("one", "four"):
        shutil.copy(patient / "ct.nii.gz", folder / f"{name}.nii.gz")
    shutil.copy(patient / "masks.seg.nrrd", folder / "masks.seg.nrrd")
    (folder / "two.nii.gz").write_bytes(b"no image at all")
    table = folder / "studies.csv"
    rows = [f"{name},{name}.nii.gz,masks.seg.nrrd" for name in ("one", "two", "three", "four")]
    table.write_text("\n".join(["study,path,masks", *rows]) + "\n", encoding="utf-8")
    return table
