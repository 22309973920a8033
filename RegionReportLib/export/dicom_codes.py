"""Codes of the DICOM exports, as DICOM writes them, and our own words where no standard has a code for them.

Sources: DICOM PS3.16 (2022 and later), SNOMED CT as DICOM uses it, UCUM. Own codes have the scheme `99REGIONREPORT`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from ..anatomy.codes import LEFT, RIGHT, Code
from ..anatomy.regions import Side, Zone
from ..errors import InputRefused
from ..report.sentence import Polarity

OWN_SCHEME = "99REGIONREPORT"
_LONGEST_MEANING = 64  # VR LO
_LONGEST_VALUE = 16  # VR SH; beyond it PS3.3 §8.1 wants Long Code Value


def dcm(value: str, meaning: str) -> Code:
    """Return a code of DICOM itself."""
    return Code("DCM", value, meaning)


def own(value: str, meaning: str) -> Code:
    """Return one of our own codes."""
    return Code(OWN_SCHEME, value, meaning)


def word(value: str) -> Code:
    """Return the code of a word of our own lists, for example a verdict."""
    return own(value.upper(), value.replace("_", " ").capitalize().replace("Ai", "AI"))


CT_CHEST_REPORT = Code("LN", "24627-2", "CT Chest Report")
FINDINGS = Code("LN", "59776-5", "Findings")
FINDING = dcm("121071", "Finding")
FINDING_SITE = Code("SCT", "363698007", "Finding Site")
LATERALITY = Code("SCT", "272741003", "Laterality")
TOPOGRAPHY = Code("SCT", "106233006", "Topographical modifier")
LANGUAGE = dcm("121049", "Language of Content Item and Descendants")
COMMENT = dcm("121106", "Comment")
YES = Code("SCT", "373066001", "Yes")

OBSERVER_TYPE = dcm("121005", "Observer Type")
PERSON = dcm("121006", "Person")
DEVICE = dcm("121007", "Device")
PERSON_NAME = dcm("121008", "Person Observer Name")
DEVICE_UID = dcm("121012", "Device Observer UID")
DEVICE_NAME = dcm("121013", "Device Observer Name")
DEVICE_MANUFACTURER = dcm("121014", "Device Observer Manufacturer")
DEVICE_MODEL = dcm("121015", "Device Observer Model Name")

TRACKING_ID = dcm("112039", "Tracking Identifier")
TRACKING_UID = dcm("112040", "Tracking Unique Identifier")
ROI = dcm("121200", "Illustration of ROI")
REFERENCED_SEGMENT = dcm("121191", "Referenced Segment")
SOURCE_SERIES = dcm("121232", "Source series for segmentation")
PRESENCE = dcm("121052", "Presence of property")
POLARITIES = {
    Polarity.PRESENT: dcm("121053", "Present"),
    Polarity.ABSENT: dcm("121054", "Absent"),
    Polarity.UNCERTAIN: dcm("121059", "Presence Undetermined"),
}

MEASUREMENTS = dcm("126010", "Imaging Measurements")
GROUP = dcm("125007", "Measurement Group")
METHOD = Code("SCT", "370129005", "Measurement Method")
DEVIATION = Code("SCT", "386136009", "Standard Deviation")
UNKNOWN_VALUE = dcm("114010", "Value unknown")
ALGORITHM_NAME = dcm("111001", "Algorithm Name")

LIBRARY = dcm("111028", "Image Library")
LIBRARY_GROUP = dcm("126200", "Image Library Group")
POSITION = tuple(dcm(f"11090{n}", f"Image Position (Patient) {axis}") for n, axis in zip((1, 2, 3), "XYZ", strict=True))
ORIENTATION = tuple(
    dcm(f"11090{n}", f"Image Orientation (Patient) {way}")
    for n, way in enumerate(("Row X", "Row Y", "Row Z", "Column X", "Column Y", "Column Z"), start=4)
)
FRAME_OF_REFERENCE = dcm("112227", "Frame of Reference UID")
ROWS = dcm("110910", "Pixel Data Rows")
COLUMNS = dcm("110911", "Pixel Data Columns")
COLUMN_SPACING = dcm("111026", "Horizontal Pixel Spacing")
ROW_SPACING = dcm("111066", "Vertical Pixel Spacing")

REPORT_ID = own("REPORT_ID", "Report identifier")
CREATED = own("CREATED", "Drafted at")
SCAN_DIGEST = own("SCAN_SHA256", "SHA-256 of the scan")
SERIES_NAME = own("SERIES_NAME", "Description of the source series")
PRIOR = own("PRIOR_LOADED", "An earlier examination was loaded")
PREDECESSOR = own("PREDECESSOR", "Identifier of the report that this one amends")
CONTENT_DIGEST = own("SIGNED_SHA256", "SHA-256 of the signed content")
TRAIL_DIGEST = own("TRAIL_SHA256", "SHA-256 of the head of the audit trail")
TRAIL_LENGTH = own("TRAIL_LENGTH", "Number of entries of the audit trail")
EXPORT_DIGEST = own("EXPORT_SHA256", "SHA-256 of the exported content")
SIGNED_AT = own("SIGNED_AT", "Signed at")
COVERAGE = own("COVERAGE", "How much of the region the scan holds")
NO_PLACE = own("NO_PLACE", "Sentences without a region")
PLACES = own("PLACES", "Places in the patient")
PLACE = own("PLACE", "Place")
FURTHER_REGION = own("FURTHER_REGION", "Further region")
AUTHOR = own("AUTHOR", "First author")
AUTHORSHIP = own("AUTHORSHIP", "Whose words these are")
VERDICT = own("VERDICT", "Reader's verdict")
VIEWED = own("VIEWED", "The reader has seen the place")
PLACELESS = own("PLACELESS", "Declared to have no place")
KEY_PHRASE = own("KEY_PHRASE", "Key phrase")
PHRASE_START = own("PHRASE_START", "First character of the phrase")
PHRASE_STOP = own("PHRASE_STOP", "First character after the phrase")
ANCHOR = own("ANCHOR_SOURCE", "Who ties the sentence to the place")
CONFIDENCE = own("CONFIDENCE", "Confidence of the tie")
BOX = own("BOX", "Corners of the box around the place")
POINT = own("POINT", "Point in the place")
QUANTITY = own("QUANTITY", "Quantity")

SIDES = {Side.RIGHT: RIGHT, Side.LEFT: LEFT}
ZONES = {zone: own(f"ZONE_{zone.value.upper()}", f"{zone.value.capitalize()} zone") for zone in Zone}

# Where a standard code says exactly what we measure; the rest keeps our own word.
NAMES = {
    "volume": Code("SCT", "118565006", "Volume"),
    "mean_density": dcm("112181", "Mean Attenuation Coefficient"),
}
UNITS = {
    "mL": Code("UCUM", "mL", "milliliter"),
    "mm": Code("UCUM", "mm", "millimeter"),
    "mm3": Code("UCUM", "mm3", "cubic millimeter"),
    "HU": Code("UCUM", "[hnsf'U]", "Hounsfield unit"),
    "%": Code("UCUM", "%", "percent"),
    "deg": Code("UCUM", "deg", "degree"),
    "1": Code("UCUM", "1", "no units"),
}
CHARACTERS = Code("UCUM", "{characters}", "characters")
ENTRIES = Code("UCUM", "{entries}", "entries")
PIXELS = Code("UCUM", "{pixels}", "pixels")


def quantity_name(quantity: str) -> Code:
    """Return the concept name of a measured quantity."""
    return NAMES.get(quantity) or own(short(quantity), quantity.replace("_", " ").capitalize())


def short(word: str) -> str:
    """Return a word as a code value of at most 16 characters; the exact word travels beside it."""
    return word.upper()[:_LONGEST_VALUE]


def code_item(code: Code) -> Dataset:
    """Return the item of a code sequence; InputRefused if DICOM cannot hold the code."""
    parts = (code.scheme, code.value, code.meaning)
    if any("\\" in text or text != text.strip() or not text.isprintable() for text in parts):
        raise InputRefused(f"the code {code} holds blanks at an end, a backslash or control characters")
    if len(code.scheme) > _LONGEST_VALUE or len(code.meaning) > _LONGEST_MEANING:
        raise InputRefused(f"the code {code} is longer than DICOM allows")
    item = Dataset()
    if len(code.value) <= _LONGEST_VALUE:
        item.CodeValue = code.value
    else:
        item.LongCodeValue = code.value
    item.CodingSchemeDesignator, item.CodeMeaning = code.scheme, code.meaning
    return item


def code_of(sequence: Sequence[Dataset]) -> Code:
    """Read the code of a code sequence."""
    item = sequence[0]
    value = item.get("CodeValue") or item.get("LongCodeValue") or item.get("URNCodeValue")
    return Code(str(item.get("CodingSchemeDesignator", "URN")), str(value), str(item.CodeMeaning))


def same(one: Code, other: Code) -> bool:
    """Tell whether two codes mean the same; the words beside them do not count."""
    return (one.scheme, one.value) == (other.scheme, other.value)
