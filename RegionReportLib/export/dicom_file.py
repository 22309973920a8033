"""DICOM files as a whole: reading one from outside, bounded also when it is deflated; writing one of ours."""

from __future__ import annotations

import io
import warnings
import zlib
from pathlib import Path

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from ..imaging.atomic import whole_file
from ..imaging.dicom_folder import is_dicom
from ..imaging.refusal import refused, size_of_regular_file
from ..progress import Progress, Work, aside

_LARGEST = 2**31
_PREAMBLE = 132
_UNDEFINED = 0xFFFFFFFF


def write_dataset(made: Dataset, path: Path | str, stage: str) -> Work[None]:
    """Write a dataset as a DICOM file that appears whole or not at all; closing the work leaves nothing."""

    def packed() -> bytes:
        buffer = io.BytesIO()
        made.save_as(buffer, enforce_file_format=True)
        return buffer.getvalue()

    content = yield from aside(packed, Progress(0.0, stage))
    with whole_file(Path(path)) as file:
        file.write(content)


def read_dataset(path: Path) -> Dataset:
    """Read a whole DICOM file; InputRefused if it is none, is damaged or holds more than 2 GiB."""
    if size_of_regular_file(path) > _LARGEST:
        raise refused(path, "is larger than 2 GiB")
    if not is_dicom(path):
        raise refused(path, "is no DICOM file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            meta = read_file_meta_info(path)
            if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
                return _whole(pydicom.dcmread(path))
            return _whole(_inflated(path, int(meta.FileMetaInformationGroupLength)))
    except Exception as cause:  # pydicom raises whatever it meets in foreign bytes
        raise refused(path, f"is truncated or damaged ({cause!s:.120})") from cause


def _inflated(path: Path, group_length: int) -> Dataset:
    """Unpack by hand, because pydicom would unpack without a limit."""
    with path.open("rb") as file:
        # Behind the preamble stands the group length itself: 12 bytes that it does not count.
        file.seek(_PREAMBLE + 12 + group_length)
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        content = unpacker.decompress(file.read(), _LARGEST)
    if unpacker.unconsumed_tail:
        raise ValueError("it unpacks to more than 2 GiB")
    if not unpacker.eof:
        raise ValueError("its end is missing")
    read = pydicom.dcmread(io.BytesIO(content), force=True)
    read.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return read


def _whole(read: Dataset) -> Dataset:
    """Check that the last element has as many bytes as it claims, which pydicom does not."""
    if not len(read):
        raise ValueError("it holds nothing")
    last = read.get_item(max(read.keys()))
    if isinstance(last, RawDataElement) and last.length != _UNDEFINED and len(last.value or b"") != last.length:
        raise ValueError("its end is missing")
    return read
