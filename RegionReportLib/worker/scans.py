"""Scans and masks between two processes: voxels in `.npy` files, everything else in the message.

For this border only: the files live as long as a job. Writing is a generator, so that a viewer can do it piece by
piece between two events.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..anatomy.regions import Coverage
from ..errors import InputRefused
from ..imaging.grid import Grid
from ..imaging.masks import RegionMasks
from ..imaging.volume import DicomSource, Provenance, Volume
from ..progress import Progress, Work
from .messages import MasksArray, ScanArray


def hand_over_scan(volume: Volume, path: Path | str) -> Work[ScanArray]:
    """Write the voxels of `volume` to the `.npy` file `path` and return the message part that tells of it."""
    yield from _write(volume.hu, Path(path), "handing over the scan")
    provenance = volume.provenance
    dicom = None if provenance.dicom is None else asdict(provenance.dicom)
    return ScanArray(
        array=str(path),
        affine=tuple(tuple(float(x) for x in row) for row in volume.grid.affine),
        source=provenance.path,
        kind=provenance.kind,
        notes=provenance.notes,
        dicom=dicom,
        outside_hu=volume.outside_hu,
    )


def hand_over_masks(masks: RegionMasks, path: Path | str) -> Work[MasksArray]:
    """Write the label map of `masks` to the `.npy` file `path` and return the message part that tells of it."""
    yield from _write(masks.labels, Path(path), "handing over the regions")
    coverage = {region: stated.value for region, stated in masks.coverage.items()}
    return MasksArray(str(path), masks.structures, masks.method, coverage, dict(masks.coverage_notes))


def scan_of(part: ScanArray) -> Volume:
    """Return the volume that `hand_over_scan` wrote; InputRefused if the file does not hold it."""
    voxels = _read(part.array)
    try:
        grid = Grid(_three(voxels), np.array(part.affine))
        dicom = None if part.dicom is None else DicomSource(**{**part.dicom, "instance_uids": tuple(_uids(part))})
        return Volume(voxels, grid, Provenance(part.source, part.kind, dicom, part.notes), part.outside_hu)
    except (ValueError, TypeError) as error:
        raise InputRefused(f"the scan handed over in {part.array} does not fit its description: {error}") from error


def masks_of(part: MasksArray, grid: Grid) -> RegionMasks:
    """Return the masks that `hand_over_masks` wrote, on the grid of their scan; InputRefused if they do not fit."""
    labels = _read(part.array)
    try:
        coverage = {region: Coverage(stated) for region, stated in part.coverage.items()}
        return RegionMasks(labels, grid, part.structures, part.method, coverage, dict(part.coverage_notes))
    except (ValueError, KeyError) as error:
        raise InputRefused(f"the masks handed over in {part.array} do not fit the scan: {error}") from error


def _write(voxels: npt.NDArray[Any], path: Path, stage: str) -> Work[None]:
    # Plain writes, slice by slice: filling a memory map would stop at its end for the disk.
    with path.open("wb") as file:
        try:
            description = np.lib.format.header_data_from_array_1_0(voxels)
            np.lib.format.write_array_header_1_0(file, description)
            for k, one in enumerate(voxels):
                file.write(np.ascontiguousarray(one).data)
                yield Progress(k / len(voxels), stage)
        except BaseException:
            file.close()
            path.unlink(missing_ok=True)
            raise


def _read(path: str) -> npt.NDArray[Any]:
    try:
        voxels: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputRefused(f"{path} cannot be read as an array: {error}") from error
    return np.asarray(voxels)


def _three(voxels: npt.NDArray[Any]) -> tuple[int, int, int]:
    if voxels.ndim != 3:
        raise ValueError(f"expected three axes, got shape {voxels.shape}")
    k, j, i = voxels.shape
    return k, j, i


def _uids(part: ScanArray) -> list[str]:
    assert part.dicom is not None
    return list(part.dicom["instance_uids"])
