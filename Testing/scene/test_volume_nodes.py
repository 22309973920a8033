"""Volume nodes and volumes hold the same scan; what is no CT is refused in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="the scene needs slicer-core: pip install regionreport[scene]")
import vtk

from RegionReportLib.errors import InputRefused
from RegionReportLib.imaging.grid import Grid
from RegionReportLib.scene.space import SceneProblem, to_vtk
from RegionReportLib.scene.volume_nodes import volume_of, volume_to_node, voxels_of

from scene_host import awkward_grid, chest, saved_and_loaded

if TYPE_CHECKING:
    from pathlib import Path

    from scene_host import Host


def node_with(host: Host, values: np.ndarray, name: str = "CT") -> Any:
    volume, _ = chest()
    node = volume_to_node(host.scene, volume, name)
    image = vtk.vtkImageData()
    image.SetDimensions(*values.shape[2::-1])
    kind = vtk.util.numpy_support.get_vtk_array_type(values.dtype)
    image.AllocateScalars(kind, values.shape[3] if values.ndim == 4 else 1)
    flat = vtk.util.numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    flat[...] = values.reshape(flat.shape)
    node.SetAndObserveImageData(image)
    return node


def test_a_volume_comes_back_from_its_node_to_the_bit(host: Host) -> None:
    volume, _ = chest()
    again = volume_of(volume_to_node(host.scene, volume, "CT"))
    assert again.grid == volume.grid
    assert again.hu.dtype == np.int16 and np.array_equal(again.hu, volume.hu)
    assert (again.provenance.kind, again.provenance.path, again.provenance.dicom) == ("scene", "CT", None)
    assert again.digest() == volume.digest()


def test_the_scene_puts_voxels_where_the_volume_says(host: Host) -> None:
    volume, _ = chest()
    node = volume_to_node(host.scene, volume, "CT")
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)  # the outer faces of the voxels, computed by MRML
    box = volume.grid.box
    assert np.allclose(bounds[::2], box.min_mm) and np.allclose(bounds[1::2], box.max_mm)


def test_reading_does_not_copy_and_cannot_write(host: Host) -> None:
    volume, _ = chest()
    node = volume_to_node(host.scene, volume, "CT")
    again = volume_of(node)
    assert np.shares_memory(again.hu, voxels_of(node.GetImageData()))
    assert not np.shares_memory(volume.hu, voxels_of(node.GetImageData()))
    with pytest.raises(ValueError, match="read-only"):
        again.hu[0, 0, 0] = 1
    host.scene.RemoveNode(node)
    del node
    assert np.array_equal(again.hu, volume.hu)


def test_a_linear_transform_is_taken_into_the_grid(host: Host) -> None:
    volume, _ = chest()
    node = volume_to_node(host.scene, volume, "CT")
    turn = np.array([[0, -1, 0, 10], [1, 0, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1]], dtype=float)  # 90° about z
    transform = host.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(to_vtk(turn))
    node.SetAndObserveTransformNodeID(transform.GetID())
    x, y, z = volume.grid.to_ras((3, 4, 5))
    assert np.allclose(volume_of(node).grid.to_ras((3, 4, 5)), (-y + 10, x + 20, z + 30))


def test_a_bent_transform_is_refused(host: Host) -> None:
    volume, _ = chest()
    node = volume_to_node(host.scene, volume, "CT")
    points = vtk.vtkPoints()
    for point in ((0, 0, 0), (100, 0, 0), (0, 100, 0), (0, 0, 100), (60, 60, 60)):
        points.InsertNextPoint(*point)
    bent = vtk.vtkPoints()
    bent.DeepCopy(points)
    bent.SetPoint(4, 80, 50, 60)
    spline = vtk.vtkThinPlateSplineTransform()
    spline.SetSourceLandmarks(points)
    spline.SetTargetLandmarks(bent)
    transform = host.scene.AddNewNodeByClass("vtkMRMLTransformNode", "bent")
    transform.SetAndObserveTransformToParent(spline)
    node.SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(SceneProblem, match="CT lies under the non-linear transform bent"):
        volume_of(node)


@pytest.mark.parametrize("dtype", [np.int32, np.uint16, np.float64, np.float32])
def test_other_number_types_become_the_same_volume(host: Host, dtype: type) -> None:
    volume, _ = chest()
    hu = np.maximum(volume.hu, -1000)
    values = hu if dtype is not np.uint16 else np.maximum(hu, 0)
    if dtype is np.uint16:
        with pytest.raises(InputRefused, match="air or fat"):
            volume_of(node_with(host, values.astype(dtype)))
        return
    again = volume_of(node_with(host, values.astype(dtype)))
    assert again.hu.dtype == np.int16 and np.array_equal(again.hu, values)


def test_fractions_stay_fractions(host: Host) -> None:
    volume, _ = chest()
    again = volume_of(node_with(host, volume.hu.astype(np.float32) + 0.25))
    assert again.hu.dtype == np.float32 and np.array_equal(again.hu, volume.hu + np.float32(0.25))


def test_what_is_no_ct_is_refused(host: Host) -> None:
    shape = awkward_grid().shape_kji
    grey = (np.arange(np.prod(shape)) % 251).astype(np.uint8).reshape(shape)
    cases = [
        (node_with(host, grey), "8-bit"),
        (node_with(host, np.stack([grey] * 3, axis=-1).astype(np.int16)), "colours or vectors"),
        (node_with(host, grey.astype(np.float32) / 250), "normalised"),
        (host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT"), "holds no image"),
        (host.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "CT"), "holds no image"),
    ]
    cases[-1][0].SetAndObserveImageData(node_with(host, grey.astype(np.int16)).GetImageData())
    cases[-1] = (cases[-1][0], "label map")
    for node, reason in cases:
        with pytest.raises((InputRefused, SceneProblem), match=f"^CT.*{reason}"):
            volume_of(node)


def test_nan_is_refused(host: Host) -> None:
    values = chest()[0].hu.astype(np.float32)
    values[3, 3, 3] = np.nan
    with pytest.raises(InputRefused, match="no numbers"):
        volume_of(node_with(host, values))


def test_a_saved_scan_comes_back_at_the_same_place(host: Host, tmp_path: Path) -> None:
    volume, _ = chest()
    volume_to_node(host.scene, volume, "CT")
    loaded = saved_and_loaded(host, tmp_path, "mrb")
    again = volume_of(loaded.scene.GetFirstNodeByName("CT"))
    # 3D Slicer counts the slices of a left-handed image backwards when it loads it.
    assert np.array_equal(again.hu[::-1], volume.hu)
    last = volume.grid.shape_kji[0] - 1
    assert np.allclose(again.grid.to_ras((7, 5, last - 9)), volume.grid.to_ras((7, 5, 9)))


def test_dicom_identifiers_come_from_the_database_in_the_order_of_slices(host: Host) -> None:
    affine = np.diag((-0.7, -0.7, 5.0, 1.0))
    affine[:3, 3] = (180.0, 170.0, -300.0)
    volume, _ = chest(Grid((40, 56, 60), affine @ np.diag((7.0, 7.0, 1.0, 1.0))))
    node = volume_to_node(host.scene, volume, "CT")
    node.SetAttribute("DICOM.instanceUIDs", "1.9 1.8 1.7")
    tags = {
        ("1.9", "0020,000d"): "1.2.3",
        ("1.9", "0020,000e"): "1.2.4",
        ("1.9", "0010,0010"): "Doe^Jane ",
        ("1.9", "0020,0032"): "-180\\-170\\-100",
        ("1.8", "0020,0032"): "-180\\-170\\-300",
        ("1.7", "0020,0032"): "-180\\-170\\-200",
    }
    source = volume_of(node, lambda uid, tag: tags.get((uid, tag), "")).provenance.dicom
    assert source is not None
    assert source.instance_uids == ("1.8", "1.7", "1.9")
    assert (source.study_instance_uid, source.series_instance_uid) == ("1.2.3", "1.2.4")
    assert (source.patient_name, source.patient_id, source.frame_of_reference_uid) == ("Doe^Jane", "", "")
    assert volume_of(node).provenance.dicom is None
    assert volume_of(node, lambda uid, tag: "").provenance.dicom is None
