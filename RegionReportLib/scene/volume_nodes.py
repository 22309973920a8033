"""Volume nodes and `Volume`: the same scan, seen by the scene and by the library.

Reading a node refuses what reading a file refuses, by the same checks and in the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import vtk
from vtk.util.numpy_support import get_vtk_array_type, vtk_to_numpy

from ..imaging.checks import check_depth, check_hounsfield, check_memory, check_number_type, check_place, grid_of
from ..imaging.filling import Filling
from ..imaging.lps import swap_lps_ras
from ..imaging.refusal import refused
from ..imaging.volume import DicomSource, HuArray, Provenance, Volume
from .space import ijk_to_node, ijk_to_world, shape_kji, to_vtk

DicomValue: TypeAlias = Callable[[str, str], str]
"""Returns the value of a tag ('0020,000d') of an instance; 3D Slicer's `dicomDatabase.instanceValue` is one."""

_SLICES_AT_ONCE = 8
_INSTANCES = "DICOM.instanceUIDs"
_FIELDS = {
    "study_instance_uid": "0020,000d",
    "series_instance_uid": "0020,000e",
    "frame_of_reference_uid": "0020,0052",
    "patient_id": "0010,0020",
    "patient_name": "0010,0010",
    "patient_birth_date": "0010,0030",
    "patient_sex": "0010,0040",
    "study_date": "0008,0020",
    "study_description": "0008,1030",
    "series_description": "0008,103e",
    "accession_number": "0008,0050",
}
_POSITION = "0020,0032"


def volume_of(node: Any, dicom_value: DicomValue | None = None) -> Volume:
    """Return what a scalar volume node holds, its linear transform taken into the grid.

    16-bit values are not copied: the volume looks at the node's own memory, so whoever keeps it while a user may edit
    the node copies it first. Other number types are converted as when reading a file. `dicom_value` gives DICOM
    identifiers where the node names its instances. Raises InputRefused for everything that is no CT in Hounsfield
    units, SceneProblem without an image or under a non-linear transform.
    """
    path = Path(node.GetName() or "unnamed volume")
    shape = shape_kji(node)
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        raise refused(path, "is a label map, not a CT")
    if node.GetImageData().GetNumberOfScalarComponents() != 1:
        raise refused(path, "holds colours or vectors, not a CT in Hounsfield units")
    grid = grid_of(path, shape, ijk_to_world(node))
    check_place(path, grid)
    stored = voxels_of(node.GetImageData())
    check_number_type(path, stored.dtype)
    check_depth(path, stored.dtype)
    hu, low, high = _hounsfield(path, stored)
    outside = check_hounsfield(path, hu, low, high)
    return Volume(hu, grid, Provenance(_origin(node), "scene", _dicom(node, dicom_value)), outside)


def volume_to_node(scene: Any, volume: Volume, name: str) -> Any:
    """Add a volume to the scene as a new node with its own copy of the values, and return the node."""
    image = vtk.vtkImageData()
    image.SetDimensions(*volume.grid.shape_kji[::-1])
    image.AllocateScalars(get_vtk_array_type(volume.hu.dtype), 1)
    voxels_of(image)[:] = volume.hu
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetIJKToRASMatrix(to_vtk(volume.grid.affine))
    node.SetAndObserveImageData(image)
    if volume.provenance.dicom is not None:
        node.SetAttribute(_INSTANCES, " ".join(volume.provenance.dicom.instance_uids))
    node.CreateDefaultDisplayNodes()
    return node


def voxels_of(image: Any) -> npt.NDArray[Any]:
    """Return the scalars of a vtkImageData as `(k, j, i)`, looking at its own memory."""
    i, j, k = image.GetDimensions()
    return np.asarray(vtk_to_numpy(image.GetPointData().GetScalars())).reshape(k, j, i)


def _hounsfield(path: Path, stored: npt.NDArray[Any]) -> tuple[HuArray, float, float]:
    if stored.dtype == np.int16:
        hu = stored.view()
        return hu, float(hu.min()), float(hu.max())
    check_memory(path, grid_of(path, stored.shape, np.eye(4)), 4)
    filling = Filling(path, (stored.shape[0], stored.shape[1], stored.shape[2]))
    for k in range(0, len(stored), _SLICES_AT_ONCE):
        filling.put(stored[k : k + _SLICES_AT_ONCE])
    return filling.finished(), filling.low, filling.high


def _origin(node: Any) -> str:
    """The file that a node was loaded from, or its name."""
    storage = node.GetStorageNode()
    return str((storage.GetFileName() if storage is not None else "") or node.GetName() or "")


def _dicom(node: Any, value: DicomValue | None) -> DicomSource | None:
    """Identifiers of the series, or None if they are not all at hand; nothing is invented."""
    instances = tuple((node.GetAttribute(_INSTANCES) or "").split())
    if value is None or not instances:
        return None
    fields = {name: (value(instances[0], tag) or "").strip() for name, tag in _FIELDS.items()}
    if not (fields["study_instance_uid"] and fields["series_instance_uid"]):
        return None
    return DicomSource(instance_uids=_along_slices(node, instances, value), **fields)


def _along_slices(node: Any, instances: tuple[str, ...], value: DicomValue) -> tuple[str, ...]:
    """Order instances as the slices of the volume, by where DICOM says that each of them lies."""
    along = swap_lps_ras(ijk_to_node(node))[:3, 2]
    heights = {}
    for uid in instances:
        parts = (value(uid, _POSITION) or "").split("\\")
        if len(parts) != 3:
            return instances
        heights[uid] = float(np.array([float(part) for part in parts]) @ along)
    return tuple(sorted(instances, key=heights.__getitem__))
