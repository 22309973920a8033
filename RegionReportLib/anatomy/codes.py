"""Coded concepts as DICOM writes them: coding scheme, value, meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """One coded concept; `scheme` is a DICOM coding scheme designator such as SCT, DCM, LN or UCUM."""

    scheme: str
    value: str
    meaning: str

    def __post_init__(self) -> None:
        if not (self.scheme and self.value and self.meaning):
            raise ValueError(f"a code needs scheme, value and meaning, got {self}")


RIGHT = Code("SCT", "24028007", "Right")
LEFT = Code("SCT", "7771000", "Left")
BOTH = Code("SCT", "51440002", "Right and left")

ANATOMICAL_STRUCTURE = Code("SCT", "123037004", "Anatomical Structure")
MORPHOLOGIC_ABNORMALITY = Code("SCT", "49755003", "Morphologically Altered Structure")
