"""A small made-up scan and where it lies; nothing here uses the writers under test."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from RegionReportLib.imaging.grid import Grid


@pytest.fixture(scope="session")
def scan() -> npt.NDArray[np.int16]:
    """Hounsfield units `(30, 36, 40)`: air, a body of soft tissue, two lungs that differ, a spine."""
    k, j, i = np.mgrid[0:30, 0:36, 0:40]
    noise = np.random.default_rng(7).normal(0, 12, (30, 36, 40))
    hu = np.where(((i - 19.5) / 18) ** 2 + ((j - 17.5) / 15) ** 2 < 1, 40.0, -1000.0)
    hu[((i - 11) / 6) ** 2 + ((j - 16) / 9) ** 2 + ((k - 15) / 12) ** 2 < 1] = -870.0
    hu[((i - 28) / 5) ** 2 + ((j - 16) / 8) ** 2 + ((k - 16) / 10) ** 2 < 1] = -780.0
    hu[(i - 20) ** 2 + (j - 27) ** 2 < 9] = 600.0
    return np.clip(hu + noise, -1024, 3071).astype(np.int16)


@pytest.fixture(scope="session")
def oblique() -> npt.NDArray[np.float64]:
    """An oblique, anisotropic, left-handed affine (RAS) for the scan."""
    a, b = 0.35, -0.2
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tip = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ tip @ np.diag((-2.0, 2.2, 2.5))
    affine[:3, 3] = (31.0, -52.5, 1207.25)
    assert np.linalg.det(affine) < 0
    return affine


@pytest.fixture(scope="session")
def places(oblique: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """RAS points at 300 voxel centres of the scan."""
    ijk = np.random.default_rng(3).integers(0, (40, 36, 30), (300, 3))
    return Grid((30, 36, 40), oblique).to_ras(ijk)
