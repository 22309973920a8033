"""Every real scan is read, and two ways of storing one scan agree."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.read import list_series, read_volume
from RegionReportLib.imaging.write import write_nifti
from RegionReportLib.progress import finish

pytestmark = pytest.mark.real_data

SCANS = {
    "lidc-0001/ct.nii.gz": -2048,
    "lidc-0002/ct.nii.gz": None,
    "popi-lung/ct.nii.gz": None,
    "cip-64/ct.nrrd": None,
    "cip-64/dicom": None,
    "elastix-lung/baseline.mha": -2048,
    "elastix-lung/followup.mha": -2048,
    "ts-cta/ct.nii.gz": None,
    "ts-abdomen/ct.nii.gz": None,
    "ts-abdomen/ct_slab.nii.gz": None,
}


@pytest.mark.parametrize("name", SCANS)
def test_a_real_scan_is_read_as_other_libraries_read_it(real_data: Path, name: str) -> None:
    path = real_data / name
    volume = finish(read_volume(path))
    assert volume.hu.dtype == np.int16
    assert volume.outside_hu == SCANS[name]
    if name.endswith(".nii.gz"):
        image = nib.load(path)
        assert np.allclose(volume.grid.affine, image.affine)
        assert np.array_equal(volume.hu, np.asarray(image.dataobj).T)
    elif path.is_file():
        itk = SimpleITK.ReadImage(str(path))
        assert np.array_equal(volume.hu, SimpleITK.GetArrayFromImage(itk))
        lps = np.array(itk.TransformIndexToPhysicalPoint((5, 6, 7)))
        assert np.allclose(volume.grid.to_ras((5, 6, 7)), lps * (-1, -1, 1))


def test_nrrd_and_dicom_of_one_scan_agree(real_data: Path) -> None:
    nrrd = finish(read_volume(real_data / "cip-64" / "ct.nrrd"))
    dicom = finish(read_volume(real_data / "cip-64" / "dicom"))
    assert np.array_equal(nrrd.hu, dicom.hu)
    corners = [(0, 0, 0), (63, 63, 78)]
    assert np.allclose(nrrd.grid.to_ras(corners), dicom.grid.to_ras(corners), atol=1e-3)
    assert dicom.provenance.dicom is not None
    assert len(set(dicom.provenance.dicom.instance_uids)) == 79
    (series,) = list_series(real_data / "cip-64" / "dicom")
    assert (series.modality, series.slices, series.rows, series.columns) == ("CT", 79, 64, 64)


@pytest.mark.parametrize(
    "name",
    [
        "lidc-0001/nodule_votes.nii.gz",
        "cip-64/whole_lung.nrrd",
        "cip-64/lung_labelmap.nrrd",
        "elastix-lung/baseline_lung_mask.mha",
        "ts-cta/labels.nii.gz",
    ],
)
def test_a_mask_is_not_taken_for_a_scan(real_data: Path, name: str) -> None:
    with pytest.raises(InputRefused):
        finish(read_volume(real_data / name))


def test_a_real_scan_survives_being_written(real_data: Path, tmp_path: Path) -> None:
    volume = finish(read_volume(real_data / "ts-cta" / "ct.nii.gz"))
    write_nifti(volume, tmp_path / "again.nii.gz")
    again = finish(read_volume(tmp_path / "again.nii.gz"))
    assert again.digest() == volume.digest()
