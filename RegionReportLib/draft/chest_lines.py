"""What the measured writer says of airways, mediastinum, heart and great vessels, bones and upper abdomen."""

from __future__ import annotations

from collections.abc import Iterator

from ..report.sentence import Polarity
from . import wording
from .findings import Findings, Line, value_of
from .finer_lines import vertebra_lines
from .vessel_lines import vessel_lines

# Saber-sheath trachea: transverse up to two thirds of sagittal (Greene R, AJR 1978;130:441).
SABER_INDEX = 2 / 3
# Normal transverse width: women from 10 mm, men up to 25 mm (Breatnach E et al., AJR 1984;142:903).
TRACHEA_MM = (10.0, 25.0)
# Cardiomegaly on CT (Gollub MJ et al., J Comput Assist Tomogr 2012;36:67).
ENLARGED_RATIO = 0.50
# Osteoporosis on CT at L1: 110 HU specific, 160 HU sensitive (Pickhardt PJ et al., Ann Intern Med 2013;158:588).
OSTEOPOROSIS_HU, LOW_BONE_HU = 110.0, 160.0
# Steatosis without contrast (Kodama Y et al., AJR 2007;188:1307).
STEATOSIS_HU = 40.0
# Liver against spleen without contrast: more than 30 % of fat (Limanond P et al., Radiology 2004;230:276).
STEATOSIS_DIFFERENCE_HU = -10.0
# The smallest deposit that counts (Agatston AS et al., J Am Coll Cardiol 1990;15:827).
CALCIUM_MM3 = 1.0


def airway_lines(findings: Findings) -> Iterator[Line]:
    """Yield calibre and index of the trachea.

    The carina angle is measured but not said: alone it is an insensitive and unspecific sign (of left atrial
    enlargement: AJR 1995;164:1089).
    """
    across, deep, index = (
        findings.whole(q, structure="trachea") for q in ("transverse_diameter", "sagittal_diameter", "tracheal_index")
    )
    if across is not None and deep is not None and index is not None:
        text = (
            f"Trachea {value_of(across):.0f} × {value_of(deep):.0f} mm at mid-level (transverse × sagittal), tracheal "
            f"index {value_of(index):.2f}{_calibre(value_of(across), value_of(index))}."
        )
        yield Line(text, "Trachea", (across, deep, index))
    else:
        yield from _not_measured(findings, "transverse_diameter", "Tracheal calibre", "airways", "trachea")


def _calibre(across_mm: float, index: float) -> str:
    if across_mm < TRACHEA_MM[0]:
        return ", narrow"
    if index <= SABER_INDEX:
        return ", saber-sheath configuration"
    return ", wide" if across_mm > TRACHEA_MM[1] else ""


def mediastinum_lines(findings: Findings) -> Iterator[Line]:
    """Yield the width at the aortic arch."""
    width = findings.whole("mediastinal_width")
    if width is not None:
        phrase = "Mediastinal width"
        # About: the level of the arch is told from masks; on phantoms the width lies within 3 mm, where the heart is
        # much enlarged within 7 mm.
        text = f"{phrase} about {wording.millimetres(value_of(width))} near the level of the aortic arch."
        yield Line(text, phrase, (width,))
    else:
        yield from _not_measured(findings, "mediastinal_width", "Mediastinal width", "mediastinum")


def heart_lines(findings: Findings) -> Iterator[Line]:
    """Yield the cardiothoracic ratio, the contrast guess, calcium or why there is no number for it, and the vessels."""
    ratio, heart, thorax = (findings.whole(q) for q in ("cardiothoracic_ratio", "heart_width", "thorax_width"))
    if ratio is not None and heart is not None and thorax is not None:
        call = ", enlarged" if value_of(ratio) > ENLARGED_RATIO else ""
        text = f"Cardiothoracic ratio {value_of(ratio):.2f} ({value_of(heart):.0f} / {value_of(thorax):.0f} mm){call}."
        yield Line(text, "Cardiothoracic ratio", (ratio, heart, thorax))
    else:
        yield from _not_measured(findings, "cardiothoracic_ratio", "Cardiothoracic ratio", "heart_great_vessels")
    blood = findings.whole("blood_density")
    if blood is not None:
        phrase = blood.reason[0].upper() + blood.reason[1:]
        yield Line(f"{phrase} (blood {wording.density(value_of(blood))}).", phrase, (blood,))
    yield from _calcium(findings)
    yield from vessel_lines(findings)


def _calcium(findings: Findings) -> Iterator[Line]:
    calcium = findings.whole("calcium_volume")
    if calcium is None:
        yield from _not_measured(findings, "calcium_volume", "Coronary and aortic calcium", "heart_great_vessels")
    elif value_of(calcium) >= CALCIUM_MM3:
        metal = ", metal counted with it" if "metal" in calcium.reason else ""
        phrase = "Calcium in the heart and aorta region"
        yield Line(f"{phrase} {wording.significant(value_of(calcium))} mm³{metal}.", phrase, (calcium,))
    else:
        phrase = "No calcium measured in the heart and aorta region"
        yield Line(f"{phrase} (< {CALCIUM_MM3:.0f} mm³).", phrase, (calcium,), Polarity.ABSENT)


def bone_lines(findings: Findings) -> Iterator[Line]:
    """Yield the density of the vertebral bodies, called by the cut-offs for L1 with restraint, and wedged bodies."""
    density, count = (findings.whole(q, structure="vertebrae") for q in ("trabecular_density", "count"))
    if density is None or count is None:
        yield from _not_measured(findings, "trabecular_density", "Vertebral bone density", "bones", "vertebrae")
        yield from vertebra_lines(findings)
        return
    hu, contrast = value_of(density), "contrast" in density.reason
    many = f"{value_of(count):.0f} vertebral {'body' if value_of(count) == 1 else 'bodies'}"
    phrase = f"Trabecular density of {many}"
    with_contrast = ", with contrast" if contrast else ""
    lumbar = findings.known("trabecular_density", "vertebrae_L1")
    call = _bone_call(hu) if lumbar is None else ""
    yield Line(f"{phrase} {wording.density(hu)} (median{with_contrast}){call}.", phrase, (density, count))
    if lumbar is not None:
        phrase, hu = "Trabecular density of L1", value_of(lumbar)
        yield Line(f"{phrase} {wording.density(hu)}{with_contrast}{_bone_call(hu)}.", phrase, (lumbar,))
    yield from vertebra_lines(findings)


def _bone_call(hu: float) -> str:
    """Call a low density; thoracic bodies are denser than L1 and contrast adds, so that both only hide a low one."""
    if hu <= OSTEOPOROSIS_HU:
        return f": low, as in osteoporosis (cut-off for L1 {OSTEOPOROSIS_HU:.0f} HU)"
    if hu <= LOW_BONE_HU:
        return f": reduced, osteoporosis not excluded (cut-off for L1 {LOW_BONE_HU:.0f} HU)"
    return ""


def abdomen_lines(findings: Findings) -> Iterator[Line]:
    """Yield the density of liver and spleen; steatosis is called without contrast only."""
    liver, spleen = (findings.whole(f"{organ}_density", structure=organ) for organ in ("liver", "spleen"))
    if liver is not None:
        contrast = "contrast" in liver.reason
        hu = value_of(liver)
        call = f", below {STEATOSIS_HU:.0f} HU: steatosis" if hu < STEATOSIS_HU and not contrast else ""
        text = f"Liver density {wording.density(hu)}{' (with contrast)' if contrast else ''}{call}."
        yield Line(text, "Liver density", (liver,))
    else:
        yield from _not_measured(findings, "liver_density", "Liver density", "upper_abdomen", "liver")
    if spleen is not None:
        contrast = "contrast" in spleen.reason
        text = f"Spleen density {wording.density(value_of(spleen))}{' (with contrast)' if contrast else ''}."
        yield Line(text, "Spleen density", (spleen,))
    yield from _difference(findings)


def _difference(findings: Findings) -> Iterator[Line]:
    found = findings.known("liver_spleen_difference", "liver")
    if found is None:
        return
    call = f", below {wording.density(STEATOSIS_DIFFERENCE_HU)}: steatosis"
    low = value_of(found) < STEATOSIS_DIFFERENCE_HU
    phrase = "Liver minus spleen"
    yield Line(f"{phrase} {wording.density(value_of(found))}{call if low else ''}.", phrase, (found,))


def _not_measured(
    findings: Findings, quantity: str, name: str, region_id: str, structure: str | None = None
) -> Iterator[Line]:
    """Say briefly why a number that a reader looks for is not there."""
    why, place = findings.unknown(quantity, structure=structure), findings.place(region_id)
    if why is not None:
        text = f"{name} not measured: {why.reason}."
        yield Line(text, name, (why,), Polarity.UNCERTAIN, (place,) if place else ())
