"""Still pictures of a scan: one slice with the outline of a region and the box of a finding, as PNG.

Radiological display: the patient's right is at the left of axial and coronal pictures; anterior is up on axial and
left on sagittal ones. Slices follow the array axis nearest to the plane, so an oblique scan is shown as acquired.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage

from ..anatomy import regions as anatomy
from ..imaging.box import Box
from ..imaging.grid import Grid, corners_of
from ..imaging.masks import RegionMasks
from ..imaging.volume import Volume


class Plane(Enum):
    """A picture plane: the RAS axis across it, then what points right and down in the picture as (RAS axis, sign).

    RAS x ascends towards the patient's right, so (0, -1) points to the patient's left.
    """

    AXIAL = (2, (0, -1), (1, -1))
    CORONAL = (1, (0, -1), (2, -1))
    SAGITTAL = (0, (1, -1), (2, -1))


@dataclass(frozen=True, slots=True)
class Cut:
    """A slice of a grid: the index `block` in `(k, j, i)`, one thick along `normal`, and how it becomes a picture."""

    block: tuple[slice, slice, slice]
    normal: int
    transpose: bool
    flip_rows: bool
    flip_columns: bool
    row_mm: float
    column_mm: float

    def picture(self, slab: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Return the picture rows and columns of `slab`, the `block` of a `(k, j, i)` array."""
        flat = np.squeeze(slab, axis=self.normal)
        flat = flat.T if self.transpose else flat
        return flat[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]


def cut_at(grid: Grid, plane: Plane, point_mm: npt.ArrayLike) -> Cut:
    """Return the cut of a grid in a plane through a RAS point; the nearest slice if the point lies outside."""
    across, right, down = plane.value
    axis_of = _array_axes(grid)
    index = np.clip(np.round(grid.to_ijk(point_mm))[::-1].astype(int), 0, np.array(grid.shape_kji) - 1)
    normal, _ = axis_of[across]
    block = [slice(None)] * 3
    block[normal] = slice(int(index[normal]), int(index[normal]) + 1)
    (row_axis, row_sign), (column_axis, column_sign) = axis_of[down[0]], axis_of[right[0]]
    spacing_kji = grid.spacing_mm[::-1]
    return Cut(
        block=(block[0], block[1], block[2]),
        normal=normal,
        transpose=row_axis > column_axis,
        flip_rows=row_sign != down[1],
        flip_columns=column_sign != right[1],
        row_mm=spacing_kji[row_axis],
        column_mm=spacing_kji[column_axis],
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn on a picture: the outline of a region, if any, and a box, if any; `frame` cuts the picture."""

    region_id: str | None = None
    box: Box | None = None
    frame: Box | None = None


def slice_picture(
    volume: Volume, masks: RegionMasks, plane: Plane, point_mm: npt.ArrayLike, mark: Mark, height_px: int = 320
) -> Image.Image:
    """Return one slice through a RAS point in the region's window, with the outlines and the box of `mark`.

    Without a region all six are outlined, in the lung window.
    """
    cut = cut_at(volume.grid, plane, point_mm)
    width, level = anatomy.region(mark.region_id or "lungs").window
    grey = np.clip((cut.picture(volume.hu[cut.block]).astype(np.float32) - level) / width + 0.5, 0, 1) * 255
    rows, columns = grey.shape
    scale = height_px / (rows * cut.row_mm)
    size = (max(1, round(columns * cut.column_mm * scale)), height_px)
    picture = Image.fromarray(grey.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR).convert("RGB")
    pixels = np.array(picture)
    for region in anatomy.regions():
        if mark.region_id in (None, region.id):
            pixels[_outline(cut.picture(masks.region(region.id, cut.block)), cut, size)] = region.color_rgb
    picture = Image.fromarray(pixels)
    if mark.box is not None:
        corners = _pixels_of(mark.box, volume.grid, cut, picture)
        ImageDraw.Draw(picture).rectangle(corners, outline=(255, 235, 59), width=2)
    if mark.frame is not None:
        picture = _cropped(picture, _pixels_of(mark.frame, volume.grid, cut, picture))
    return picture


def montage(volume: Volume, masks: RegionMasks, columns: int = 4, height_px: int = 300) -> Image.Image:
    """Return axial, coronal and sagittal rows of evenly spaced slices with all six regions outlined.

    The slices span the lungs where there are any, else the whole scan.
    """
    where = [masks.box(b) for s, b in masks.bounds().items() if anatomy.structure(s).region_id == "lungs"]
    box = where[0] if where else volume.grid.box
    for more in where[1:]:
        box = box.union(more)
    strips = []
    for plane in Plane:
        across = plane.value[0]
        low, high = box.min_mm[across], box.max_mm[across]
        points = []
        for n in range(columns):
            point = np.array(box.center_mm)
            point[across] = low + (n + 0.75) / (columns + 0.5) * (high - low)
            points.append(point)
        strips.append([slice_picture(volume, masks, plane, p, Mark(), height_px) for p in points])
    width = max(sum(p.width + 4 for p in strip) for strip in strips)
    sheet = Image.new("RGB", (width, len(strips) * (height_px + 4)))
    for row, strip in enumerate(strips):
        x = 0
        for picture in strip:
            sheet.paste(picture, (x, row * (height_px + 4)))
            x += picture.width + 4
    return sheet


def jpeg(picture: Image.Image) -> bytes:
    """Return a picture as the bytes of a JPEG file, with colours at full resolution so that thin outlines stay."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue()


def png(picture: Image.Image) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _array_axes(grid: Grid) -> list[tuple[int, int]]:
    """Return for each RAS axis the `(k, j, i)` array axis nearest to it and its sign, each array axis used once."""
    cosines = grid.affine[:3, :3] / np.array(grid.spacing_mm)
    found: list[tuple[int, int]] = [(0, 1)] * 3
    left = np.abs(cosines)
    for _ in range(3):
        ras, ijk = np.unravel_index(int(np.argmax(left)), left.shape)
        found[int(ras)] = (2 - int(ijk), 1 if cosines[ras, ijk] > 0 else -1)
        left[ras, :] = -1
        left[:, ijk] = -1
    return found


def _outline(mask: npt.NDArray[np.generic], cut: Cut, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    image = Image.fromarray(mask.astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    large = np.asarray(image) > 127
    return np.asarray(large & ~ndimage.binary_erosion(large, border_value=1, iterations=2))


def _cropped(picture: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """Return the part within left, top, right and bottom; all of it if nothing lies there, as for a foreign place."""
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    right, bottom = min(picture.width, round(box[2])), min(picture.height, round(box[3]))
    return picture.crop((left, top, right, bottom)) if left < right and top < bottom else picture


def _pixels_of(box: Box, grid: Grid, cut: Cut, picture: Image.Image) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a RAS box in a picture of the cut, two pixels wider on each side."""
    kji = grid.to_ijk(corners_of(np.array(box.min_mm), np.array(box.max_mm)))[:, ::-1]
    row_axis, column_axis = (n for n in range(3) if n != cut.normal)
    if cut.transpose:
        row_axis, column_axis = column_axis, row_axis
    rows, columns = grid.shape_kji[row_axis], grid.shape_kji[column_axis]
    y, x = kji[:, row_axis] + 0.5, kji[:, column_axis] + 0.5
    y, x = (rows - y if cut.flip_rows else y), (columns - x if cut.flip_columns else x)
    scale_y, scale_x = picture.height / rows, picture.width / columns
    return x.min() * scale_x - 2, y.min() * scale_y - 2, x.max() * scale_x + 2, y.max() * scale_y + 2
