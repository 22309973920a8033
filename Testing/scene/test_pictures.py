"""What is on the screen when a place is pointed at: the right slice, the region's colour, the box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

pytest.importorskip("trame_slicer", reason="views without a window need trame-slicer: regionreport[scene]")

from RegionReportLib.anatomy.regions import region
from RegionReportLib.imaging.box import Box
from RegionReportLib.progress import finish
from RegionReportLib.review.highlight import Area, Highlight
from RegionReportLib.scene.pointing import Jump, Manner, SceneViewer
from RegionReportLib.scene.segmentation_nodes import masks_to_node
from RegionReportLib.scene.surfaces import make_surfaces
from RegionReportLib.scene.volume_nodes import volume_to_node

from scene_host import center_of, chest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from view_host import Picture, Views

GRID = chest()[1].grid
HEART = np.array(center_of("heart_great_vessels", GRID))
BOX = Box(tuple(HEART - [20, 25, 30]), tuple(HEART - [-20, -15, -30]))
SHOWN = Highlight((Area("heart_great_vessels"),), tuple(HEART), BOX, region("heart_great_vessels").window)


@pytest.fixture
def scene(views: Views) -> Iterator[tuple[Views, Any, Any]]:
    volume, masks = chest()
    volume_node = volume_to_node(views.scene, volume, "CT")
    volume_node.GetDisplayNode().SetAutoWindowLevel(0)
    volume_node.GetDisplayNode().SetWindowLevel(2000, 0)
    node = masks_to_node(views.scene, volume_node, masks)
    finish(make_surfaces(node))
    views.show(volume_node)
    yield views, volume_node, node
    views.clear()


def yellow(picture: Picture) -> np.ndarray:
    red, green, blue = (picture[..., n].astype(int) for n in range(3))
    return (red > 200) & (green > 180) & (blue < 120)


def tint(picture: Picture, row: int, column: int) -> np.ndarray:
    """Red minus green and blue at a place, averaged over 5 × 5 pixels."""
    patch = picture[row - 2 : row + 3, column - 2 : column + 3].reshape(-1, 3).mean(axis=0)
    return np.array([patch[0] - patch[1], patch[0] - patch[2]])


def test_the_region_is_coloured_at_the_place_in_every_slice_and_the_ct_shines_through(scene: Any) -> None:
    views, volume_node, node = scene
    views.slices["axial"].get_view_node().SetXYZOrigin(60, 40, 0)  # a panned view is centred too
    SceneViewer(views.scene, volume_node, node, GRID, Manner(jump=Jump.CENTER)).point_at(SHOWN)
    for view in views.slices.values():
        picture = views.picture(view)
        row, column = views.pixel_of(view, HEART)
        assert abs(row - 150) <= 2 and abs(column - 150) <= 2  # centred in 300 × 300
        assert (tint(picture, row, column) > 15).all()
        assert picture[row - 15 : row + 16, column - 15 : column + 16, 0].std() > 1  # noise of the CT, not a flat fill


def test_the_right_slice_is_on_screen(scene: Any) -> None:
    views, volume_node, node = scene
    viewer = SceneViewer(views.scene, volume_node, node, GRID)
    for name in ("sternum", "trachea"):
        point = center_of(name, GRID)
        viewer.point_at(Highlight((Area("upper_abdomen"),), point, None, (2000, 0)))
        expected = {"sternum": (400 + 1000) / 2000 * 255, "trachea": 0.0}[name]
        for view in views.slices.values():
            row, column = views.pixel_of(view, point)
            grey = views.picture(view)[row - 1 : row + 2, column - 1 : column + 2].mean()
            assert grey == pytest.approx(expected, abs=12)


def test_the_box_is_drawn_on_its_edges(scene: Any) -> None:
    views, volume_node, node = scene
    viewer = SceneViewer(views.scene, volume_node, node, GRID)
    view = views.slices["axial"]
    assert not yellow(views.picture(view)).any()
    viewer.point_at(SHOWN)
    drawn = yellow(views.picture(view))
    low, high = np.array(BOX.min_mm), np.array(BOX.max_mm)
    # The view is turned with the oblique scan, so only edges that cross it at the centre's height are asked for.
    for x in (low[0], high[0]):
        row, column = views.pixel_of(view, (x, HEART[1], HEART[2]))
        assert drawn[row - 8 : row + 9, column - 8 : column + 9].any()
    row, column = views.pixel_of(view, HEART)
    assert not drawn[row - 6 : row + 7, column - 6 : column + 7].any()
    assert yellow(views.picture(views.space)).any()
    viewer.point_at(Highlight((Area("heart_great_vessels"),), tuple(HEART), None, None))
    assert not yellow(views.picture(view)).any()


def test_other_regions_are_faint(scene: Any) -> None:
    views, volume_node, node = scene
    view, point = views.slices["axial"], np.array(center_of("mediastinum", GRID))
    viewer = SceneViewer(views.scene, volume_node, node, GRID, Manner(jump=Jump.SCROLL, follow_window=False))
    here = Highlight((Area("mediastinum"),), tuple(point), None, None)
    viewer.point_at(here)
    row, column = views.pixel_of(view, point)
    chosen = colourfulness(views.picture(view), row, column)
    viewer.point_at(Highlight((Area("bones"),), tuple(point), None, None))
    faint = colourfulness(views.picture(view), row, column)
    assert chosen > 10 > 3 > faint


def colourfulness(picture: Picture, row: int, column: int) -> float:
    patch = picture[row - 3 : row + 4, column - 3 : column + 4].astype(float)
    return float((patch.max(axis=-1) - patch.min(axis=-1)).mean())


def test_in_3d_the_chosen_region_is_opaque_in_the_middle_of_the_view(scene: Any) -> None:
    views, volume_node, node = scene
    node.GetDisplayNode().SetAllSegmentsOpacity3D(1.0)
    before = views.picture(views.space)
    viewer = SceneViewer(views.scene, volume_node, node, GRID, Manner(draw_box=False))
    viewer.point_at(SHOWN)
    picture = views.picture(views.space).astype(int)
    middle = picture[140:160, 140:160].reshape(-1, 3).mean(axis=0)
    assert middle[0] > 120 and middle[0] > 1.8 * middle[1]  # the heart's red, lit and not black
    blue = (picture[..., 2] - picture[..., 0] > 60).sum()
    assert blue == 0 and (before[..., 2].astype(int) - before[..., 0] > 60).sum() > 500  # the lungs went faint


def test_leaving_gives_the_same_pictures_as_before(scene: Any) -> None:
    views, volume_node, node = scene
    before = [views.picture(view) for view in views.all]
    viewer = SceneViewer(views.scene, volume_node, node, GRID, Manner(return_views=True))
    viewer.point_at(SHOWN)
    during = [views.picture(view) for view in views.all]
    viewer.clear()
    for start, between, end in zip(before, during, [views.picture(view) for view in views.all], strict=True):
        assert not np.array_equal(start, between)
        assert np.array_equal(start, end)
