"""The one place where DICOM's and ITK's axes (left, posterior, superior) meet ours (right, anterior, superior)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_FLIP = np.diag((-1.0, -1.0, 1.0, 1.0))


def swap_lps_ras(affine: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return a 4×4 affine whose result lies in the other of the two systems; it is its own inverse.

    DICOM PS3.3 C.7.6.2.1.1: x grows to the patient's left, y to the back, z to the head.
    """
    swapped = _FLIP @ np.asarray(affine, dtype=np.float64)
    return np.asarray(swapped + 0.0)  # + 0.0: no negative zeros in files and messages
