"""Whether the vessels hold contrast medium: a guess from the density of blood that gates other measurements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..imaging.box import Box
from ..imaging.volume import Volume
from ..report.measurement import Measurement
from ..report.place import Place
from .frame import Frame
from .pleura import smoothed
from .shape import eroded
from .subject import Subject

# Unenhanced blood of the aorta and ventricles lies at 27–50 HU from anaemic to normal (Abbasi B et al.,
# Sci Rep 2022;12:21380); enhanced vessels exceed 100 HU in the phases used for the chest. The upper decile is
# taken, since early phases enhance only some of the chambers.
ENHANCED_HU = 90.0
_CORE_MM = 6.0
_MIN_VOXELS = 100
METHOD = (
    "median HU of the aorta, or of heart and great vessels where the masks have no aorta, 6 mm inside the outline; "
    "contrast if the upper decile of 5 mm averages exceeds 90 HU (unenhanced blood 27–50 HU: Abbasi, Sci Rep "
    "2022;12:21380)"
)


@dataclass(frozen=True, slots=True)
class Blood:
    """Density of the blood pool; `enhanced` is None where it could not be told, `noise_hu` the voxel noise."""

    density_hu: float | None
    enhanced: bool | None
    noise_hu: float | None
    place: Place | None

    @property
    def caveat(self) -> str:
        """Why measurements of unenhanced density are not given, empty if they may be."""
        if self.enhanced is None:
            return "heart and great vessels too small in the scan to tell whether contrast was given"
        return "contrast in the vessels" if self.enhanced else ""


NO_BLOOD = Blood(None, None, None, None)
SUBJECT = Subject("heart_great_vessels")


def blood_pool(volume: Volume, frame: Frame) -> Blood:
    """Look at the blood in the heart and great vessels."""
    names = tuple(n for n in frame.structures if n in _BLOOD)
    where = frame.bounds(names)
    if where is None:
        return NO_BLOOD
    part = frame.crop(where, margin_mm=2.0)
    core = eroded(part.mask(names), _CORE_MM)
    # Averaged over 5 mm: noise of 40 HU alone would lift the upper decile of unenhanced blood above the limit, and
    # what is left of it without its low half would lift the median.
    mean = smoothed(part.hu, core)
    core &= mean > -20.0  # epicardial fat and air are not blood
    values = part.hu[core]
    if values.size < _MIN_VOXELS:
        return NO_BLOOD
    # The aorta alone where it is known; it is pure blood, unlike the heart with its muscle.
    aorta = part.hu[core & part.mask(["aorta"])]
    median = float(np.median(aorta if aorta.size >= _MIN_VOXELS else values))
    enhanced = float(np.percentile(mean[core], 90)) > ENHANCED_HU
    place = part.place(SUBJECT, core)
    return Blood(median, enhanced, _noise_hu(volume, place) if place else None, place)


def _noise_hu(volume: Volume, place: Place) -> float | None:
    """Return the robust SD of the scan's own voxels in 20 mm around a point, slow changes taken out."""
    point = np.array(place.point_mm)
    where = volume.grid.indices_of(Box.around([point - 10.0, point + 10.0]))
    cube = volume.hu[where].astype(np.float32)
    if cube.size < _MIN_VOXELS:
        return None
    slow = ndimage.gaussian_filter(cube, 4.0 / np.array(volume.grid.spacing_mm[::-1]), truncate=2.0)
    return 1.4826 * float(np.median(np.abs(cube - slow)))


def blood_density(blood: Blood) -> Measurement:
    """Write down the density of the blood pool with the guess in words."""
    if blood.density_hu is None:
        return SUBJECT.unknown("blood_density", METHOD, blood.caveat)
    words = "contrast in the vessels" if blood.enhanced else "no contrast in the vessels"
    return SUBJECT.known("blood_density", blood.density_hu, METHOD, blood.place, words)


_BLOOD = frozenset(
    {
        "heart_great_vessels",
        "heart",
        "heart_atrium_left",
        "heart_atrium_right",
        "heart_ventricle_left",
        "heart_ventricle_right",
        "aorta",
        "pulmonary_artery",
        "pulmonary_vein",
        "superior_vena_cava",
        "inferior_vena_cava",
    }
)
