"""A CT volume: Hounsfield units on a grid, and where it came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .grid import Grid

HuArray: TypeAlias = npt.NDArray[np.int16] | npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DicomSource:
    """The identifiers of the DICOM series a volume came from; never invented, empty string where the file has none.

    `instance_uids` are in the order of the volume's slices, k ascending.
    """

    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str
    instance_uids: tuple[str, ...]
    patient_id: str = ""
    patient_name: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""
    study_date: str = ""
    study_description: str = ""
    series_description: str = ""
    accession_number: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a volume came from: `path` as given, file `kind` (nifti, nrrd, metaimage, dicom, phantom, scene).

    `notes` are sentences that a reader of the report should know, for example about padding or resampling.
    """

    path: str
    kind: str
    dicom: DicomSource | None = None
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Hounsfield units `hu` as `(k, j, i)` int16 or float32 on `grid`; `outside_hu` is the value of padding, if any.

    Raises ValueError if the array does not fit the grid or has another type. The array is made read-only, not copied.
    """

    hu: HuArray
    grid: Grid
    provenance: Provenance
    outside_hu: float | None = None

    def __post_init__(self) -> None:
        if self.hu.shape != self.grid.shape_kji:
            raise ValueError(f"hu has shape {self.hu.shape}, its grid {self.grid.shape_kji}")
        if self.hu.dtype not in (np.dtype(np.int16), np.dtype(np.float32)):
            raise ValueError(f"hu must be int16 or float32, got {self.hu.dtype}")
        hu = np.ascontiguousarray(self.hu)
        hu.setflags(write=False)
        object.__setattr__(self, "hu", hu)

    def digest(self) -> str:
        """Return the SHA-256 of values and grid; equal for the same scan whatever file it was stored in."""
        sha = hashlib.sha256()
        sha.update(repr((self.hu.dtype.str, self.grid.shape_kji, np.round(self.grid.affine, 6).tolist())).encode())
        for slab in self.hu:  # slice by slice: no second copy of a large scan
            sha.update(slab)
        return sha.hexdigest()

    def summary(self) -> dict[str, Any]:
        """Return size, spacing and source as plain JSON values."""
        return {
            "path": self.provenance.path,
            "kind": self.provenance.kind,
            "shape_kji": list(self.grid.shape_kji),
            "spacing_mm": [round(s, 4) for s in self.grid.spacing_mm],
            "notes": list(self.provenance.notes),
        }
