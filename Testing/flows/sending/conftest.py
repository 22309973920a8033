"""What tests of sending share: a series to send, a real archive, credentials, certificates, servers that fail."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "reader", "s3cret-pass"
Settings = dict[str, Any]


def series_in(folder: Path, slices: int = 5) -> list[Path]:
    """CT slices of a new patient and study, with values that differ in each voxel and slice."""
    folder.mkdir(parents=True, exist_ok=True)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    paths = []
    for k in range(slices):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CT_IMAGE, generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        image.SpecificCharacterSet = "ISO_IR 192"
        image.SOPClassUID, image.SOPInstanceUID = CT_IMAGE, meta.MediaStorageSOPInstanceUID
        image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = study, series, frame
        image.Modality, image.ImageType, image.InstanceNumber = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"], k + 1
        image.PatientName, image.PatientID, image.StudyDate = "Müller^Ada", "P-17", "20260102"
        image.ImagePositionPatient, image.ImageOrientationPatient = [-80, -60, 6.0 * k], [1, 0, 0, 0, 1, 0]
        image.PixelSpacing, image.SliceThickness = [5.0, 4.0], 6.0
        image.Rows, image.Columns, image.SamplesPerPixel, image.PhotometricInterpretation = 24, 32, 1, "MONOCHROME2"
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 0
        image.RescaleSlope, image.RescaleIntercept = 1, -1024
        image.PixelData = (np.arange(24 * 32, dtype="<u2") + 1000 * k).tobytes()
        paths.append(folder / f"slice{k}.dcm")
        pydicom.dcmwrite(paths[-1], image, enforce_file_format=True)
    return paths


@pytest.fixture(scope="session")
def write_series() -> Callable[..., list[Path]]:
    """Stores CT slices of a new patient and study in a folder: folder, number of slices."""
    return series_in


@pytest.fixture
def series(tmp_path: Path) -> list[Path]:
    """Five slices in a folder of their own."""
    return series_in(tmp_path / "series")


@dataclass(frozen=True)
class Archive:
    """An Orthanc on this computer."""

    web: str
    rest: str
    dicom_port: int
    auth: tuple[str, str] = (USER, PASSWORD)

    def stored(self, instance_uid: str) -> bytes:
        """The file that the archive keeps of an instance; KeyError if it keeps none."""
        import requests

        found = requests.post(f"{self.rest}/tools/lookup", data=instance_uid, auth=self.auth, timeout=20).json()
        ids = [one["ID"] for one in found if one["Type"] == "Instance"]
        if len(ids) != 1:
            raise KeyError(instance_uid)
        content: bytes = requests.get(f"{self.rest}/instances/{ids[0]}/file", auth=self.auth, timeout=20).content
        return content

    def keeps(self, sent: Path) -> bool:
        """Whether its copy of a file holds the same elements, pixel data included."""
        other = pydicom.dcmread(sent)
        one = pydicom.dcmread(pydicom.filebase.DicomBytesIO(self.stored(other.SOPInstanceUID)))
        return bool(one == other) and one.get("PixelData") == other.get("PixelData")


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def orthanc(folder: Path, more: Settings) -> Iterator[Archive]:
    """An Orthanc with `more` settings, ended with the block."""
    program = shutil.which("Orthanc")
    if program is None or not PLUGIN.is_file():
        pytest.skip("Orthanc with its DICOMweb plug-in is not installed (Debian: orthanc, orthanc-dicomweb)")
    http, dicom = free_port(), free_port()
    settings = {
        "Name": "test", "HttpPort": http, "DicomPort": dicom, "DicomAet": "ORTHANC", "DicomCheckCalledAet": True,
        "StorageDirectory": str(folder / "store"), "IndexDirectory": str(folder / "store"),
        "RemoteAccessAllowed": False, "AuthenticationEnabled": True, "RegisteredUsers": {USER: PASSWORD},
        "Plugins": [str(PLUGIN)],
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings | more), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], cwd=folder, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{http}/dicom-web/studies", process)
        yield Archive(f"http://127.0.0.1:{http}/dicom-web", f"http://127.0.0.1:{http}", dicom)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    import requests

    for _ in range(200):
        assert process.poll() is None, "Orthanc ended by itself"
        try:
            if requests.get(address, auth=(USER, PASSWORD), timeout=5).status_code == 200:
                return
        except requests.exceptions.ConnectionError:
            time.sleep(0.1)
    pytest.fail("Orthanc did not come up")


@pytest.fixture(scope="session")
def run_orthanc() -> Callable[[Path, Settings], AbstractContextManager[Archive]]:
    """Runs an archive of its own: an empty folder, settings beyond the usual."""
    return orthanc


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """The archive of most tests."""
    with orthanc(tmp_path_factory.mktemp("orthanc"), {}) as running:
        yield running


@pytest.fixture
def silent_port() -> int:
    """A port at which nobody listens."""
    return free_port()


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give this computer's archive a password in netrc."""

    def write(password: str) -> None:
        path = tmp_path / "netrc"
        path.write_text(f"machine 127.0.0.1 login {USER} password {password}\n", encoding="ascii")
        path.chmod(0o600)
        monkeypatch.setenv("NETRC", str(path))

    monkeypatch.delenv("REGIONREPORT_TOKEN", raising=False)
    return write


# --- certificates -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certificates:
    """PEM files: two authorities, servers' and clients' certificates that they vouch for, each with its key in it."""

    authority: Path
    other_authority: Path
    server: Path
    server_elsewhere: Path
    client: Path
    client_of_other: Path
    client_with_password: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates made for the tests, valid for two days."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")

    def made(name: str, subject: str, by: str = "", alternative: str = "") -> Path:
        key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
        words = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ]
        words += ["-subj", f"/CN={subject}", "-keyout", str(key), "-out", str(certificate)]
        words += ["-addext", f"subjectAltName={alternative}"] if alternative else []
        words += ["-addext", "basicConstraints=critical,CA:FALSE"] if by else []
        words += ["-CA", str(folder / f"{by}.crt"), "-CAkey", str(folder / f"{by}.key")] if by else []
        subprocess.run(words, check=True, capture_output=True)
        both = folder / f"{name}.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        return both

    authority, other = made("authority", "test authority"), made("other", "other authority")
    client = made("client", "client", by="authority")
    locked = folder / "locked.pem"
    subprocess.run(["openssl", "ec", "-in", str(client), "-aes256", "-passout", "pass:secret", "-out", str(locked)],
                   check=True, capture_output=True)  # fmt: skip
    locked.write_bytes((folder / "client.crt").read_bytes() + locked.read_bytes())
    return Certificates(
        authority=authority.with_suffix(".crt"),
        other_authority=other.with_suffix(".crt"),
        server=made("server", "server", by="authority", alternative="IP:127.0.0.1"),
        server_elsewhere=made("elsewhere", "elsewhere", by="authority", alternative="DNS:pacs.example.org"),
        client=client,
        client_of_other=made("foreign", "foreign", by="other"),
        client_with_password=locked,
    )


# --- servers that fail ------------------------------------------------------------------------------------------


@dataclass
class Answers:
    """A DICOMweb service that answers in turn with what it was told, then with success; it remembers what came."""

    queue: list[tuple[int, dict[str, str], bytes] | None] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def service() -> Iterator[Answers]:
    """A DICOMweb service that answers as it is told."""
    with serve(None) as answers:
        yield answers


@pytest.fixture(scope="session")
def serve_tls() -> Callable[[ssl.SSLContext], AbstractContextManager[Answers]]:
    """Runs such a service over TLS."""
    return serve


@contextmanager
def serve(tls: ssl.SSLContext | None) -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answers.headers.append(dict(self.headers))
            answers.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            answer = answers.queue.pop(0) if answers.queue else (200, {}, b"")
            if answer is None:  # the line goes dead
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            code, headers, body = answer
            self.send_response(code)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    answers.address = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/dw"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
