"""Sending to an archive: a real Orthanc keeps what was sent; servers that fail in each way are told apart."""

from __future__ import annotations

import base64
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from RegionReportLib.anatomy.regions import REGION_IDS, Coverage, Side
from RegionReportLib.cli.main import main
from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.export.send import Patience, deliver, outgoing, summary
from RegionReportLib.imaging.masks import RegionMasks
from RegionReportLib.imaging.read import read_volume
from RegionReportLib.progress import Progress, finish
from RegionReportLib.report.document import Report, Study
from RegionReportLib.report.place import Anchor, AnchorSource, Place
from RegionReportLib.report.sentence import Author, Origin, Polarity, Sentence

requests = pytest.importorskip("requests", reason="the package requests is not installed")
pytest.importorskip("pynetdicom", reason="the package pynetdicom is not installed")

from RegionReportLib.export.send_dimse import DimseChannel, DimseTarget, dimse_address  # noqa: E402
from RegionReportLib.export.send_web import WebChannel, WebTarget  # noqa: E402

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
SOON = Patience(tries=3, first_wait_s=0.01, timeout_s=20.0)
USER, PASSWORD, TOKEN = "reader", "s3cret-pass", "tok-3n-s3cret"


def write_series(folder: Path, slices: int = 5) -> list[Path]:
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


@pytest.fixture
def series(tmp_path: Path) -> list[Path]:
    return write_series(tmp_path / "series")


# --- a real archive ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Archive:
    """An Orthanc on this computer."""

    web: str
    rest: str
    dicom_port: int

    def stored(self, instance_uid: str) -> bytes:
        """The file that the archive keeps of an instance; KeyError if it keeps none."""
        auth = (USER, PASSWORD)
        found = requests.post(f"{self.rest}/tools/lookup", data=instance_uid, auth=auth, timeout=20).json()
        ids = [one["ID"] for one in found if one["Type"] == "Instance"]
        if len(ids) != 1:
            raise KeyError(instance_uid)
        content: bytes = requests.get(f"{self.rest}/instances/{ids[0]}/file", auth=auth, timeout=20).content
        return content


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    program = shutil.which("Orthanc")
    if program is None or not PLUGIN.is_file():
        pytest.skip("Orthanc with its DICOMweb plug-in is not installed (Debian: orthanc, orthanc-dicomweb)")
    folder = tmp_path_factory.mktemp("orthanc")
    http, dicom = free_port(), free_port()
    settings = {
        "Name": "test", "HttpPort": http, "DicomPort": dicom, "DicomAet": "ORTHANC", "DicomCheckCalledAet": True,
        "StorageDirectory": str(folder / "store"), "IndexDirectory": str(folder / "store"),
        "RemoteAccessAllowed": False, "AuthenticationEnabled": True, "RegisteredUsers": {USER: PASSWORD},
        "Plugins": [str(PLUGIN)],
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], cwd=folder, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{http}/dicom-web/studies", process)
        yield Archive(f"http://127.0.0.1:{http}/dicom-web", f"http://127.0.0.1:{http}", dicom)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "Orthanc ended by itself"
        try:
            if requests.get(address, auth=(USER, PASSWORD), timeout=5).status_code == 200:
                return
        except requests.exceptions.ConnectionError:
            time.sleep(0.1)
    pytest.fail("Orthanc did not come up")


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


def same_object(kept: bytes, sent: Path) -> bool:
    """Tell whether an archive's copy holds the same elements, pixel data included."""
    one, other = pydicom.dcmread(pydicom.filebase.DicomBytesIO(kept)), pydicom.dcmread(sent)
    return bool(one == other) and one.get("PixelData") == other.get("PixelData")


def test_an_archive_keeps_byte_for_byte_what_was_sent_by_dicomweb(
    archive: Archive, series: list[Path], netrc: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    netrc(PASSWORD)
    assert main(["send", str(series[0].parent), "--dicomweb", archive.web, "--yes"]) == 0
    told = capsys.readouterr()
    assert "Müller^Ada (P-17)" in told.out and "5 CT" in told.out and "5 files sent" in told.out
    assert "credentials: netrc" in told.out and PASSWORD not in told.out + told.err
    for path in series:
        assert archive.stored(pydicom.dcmread(path).SOPInstanceUID) == path.read_bytes()


def test_an_archive_keeps_what_was_sent_by_c_store(archive: Archive, series: list[Path]) -> None:
    where = f"127.0.0.1:{archive.dicom_port}"
    assert main(["send", *map(str, series), "--dimse", where, "--aet", "ORTHANC", "--yes"]) == 0
    for path in series:
        assert same_object(archive.stored(pydicom.dcmread(path).SOPInstanceUID), path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SEG and an SR on a series, as the DICOM export writes them."""
    pytest.importorskip("highdicom", reason="the package highdicom is not installed")
    from RegionReportLib.export.dicom_export import export_dicom

    folder = tmp_path_factory.mktemp("exported")
    write_series(folder / "series", slices=10)
    volume = finish(read_volume(folder / "series"))
    labels = np.zeros(volume.grid.shape_kji, dtype=np.uint8)
    labels[1:4, 2:19, 3:12], labels[2:5, 2:19, 15:27] = 1, 2
    coverage = dict.fromkeys(REGION_IDS, Coverage.ABSENT) | {"lungs": Coverage.COMPLETE}
    masks = RegionMasks(labels, volume.grid, ("lung_right", "lung_left"), "by hand", coverage, {})
    box = masks.box((slice(1, 4), slice(2, 19), slice(3, 12)))
    place = Place("lungs", box, box.center_mm, side=Side.RIGHT)
    sentence = Sentence("s1", "Dense right lung – größer.", ("lungs",), (Anchor(place, AnchorSource.MEASUREMENT),),
                        Polarity.PRESENT, Origin(Author.MEASURED), key_phrase=(0, 5))  # fmt: skip
    study = Study(str(folder / "series"), volume.digest(), volume.grid, volume.provenance.dicom)
    report = Report("r", study, coverage, {}, (place,), (), (sentence,), "measured", "by hand",
                    "2026-01-02T10:00:00+00:00")  # fmt: skip
    (folder / "out").mkdir()
    finish(export_dicom(report, masks, folder / "out", series=folder / "series"))
    return folder


@pytest.mark.parametrize("way", ["dicomweb", "dimse"])
def test_an_archive_keeps_our_segmentation_and_our_report(
    archive: Archive, exported: Path, netrc: Callable[[str], None], way: str
) -> None:
    netrc(PASSWORD)
    to = {"dicomweb": ["--dicomweb", archive.web],
          "dimse": ["--dimse", f"127.0.0.1:{archive.dicom_port}", "--aet", "ORTHANC"]}[way]  # fmt: skip
    assert main(["send", str(exported), *to, "--yes"]) == 0
    for path in (exported / "out").iterdir():
        assert same_object(archive.stored(pydicom.dcmread(path).SOPInstanceUID), path)


def test_the_links_of_the_html_form_open_as_pictures_in_the_archive(archive: Archive, exported: Path) -> None:
    from RegionReportLib.export.dicom_import import import_sr_seg
    from RegionReportLib.export.fhir import report_bundle
    from RegionReportLib.export.fhir_segments import seg_reference

    where = ["--dimse", f"127.0.0.1:{archive.dicom_port}", "--aet", "ORTHANC"]
    assert main(["send", str(exported), *where, "--yes"]) == 0
    seg = exported / "out" / "segmentation.dcm"
    report, _ = import_sr_seg(exported / "out" / "report.dcm", seg)
    bundle = report_bundle(report, seg=seg_reference(seg), wado_rs=archive.web)
    selections = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "ImagingSelection"]
    subsets = [one["instance"][0].get("subset") for one in selections]
    right = next(s for s in pydicom.dcmread(seg).SegmentSequence if s.TrackingID == "lung_right")
    assert subsets == [None, [str(right.SegmentNumber)]]
    diagnostic = bundle["entry"][0]["resource"]
    page = base64.b64decode(diagnostic["presentedForm"][0]["data"]).decode()
    addresses = re.findall('href="([^"]+)"', page)
    assert len(addresses) == 2
    picture = requests.get(addresses[0], auth=(USER, PASSWORD), timeout=20)
    assert picture.status_code == 200 and picture.headers["Content-Type"].startswith("image/")


def test_wrong_credentials_are_told_at_once(
    archive: Archive, series: list[Path], netrc: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    netrc("wr0ng-pass")
    assert main(["send", str(series[0]), "--dicomweb", archive.web, "--yes"]) == 3
    told = capsys.readouterr()
    assert "refuses the credentials: 401" in told.err and "0 of 1 files" in told.err
    assert "wr0ng-pass" not in told.out + told.err and told.err.count("\n") == 1


def test_a_foreign_ae_title_is_told_at_once(
    archive: Archive, series: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--dimse", f"127.0.0.1:{archive.dicom_port}", "--aet", "OTHER"]
    assert main(["send", str(series[0]), *where, "--yes"]) == 3
    assert "rejects the AE title" in capsys.readouterr().err


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
    yield from serve(None)


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


def send(paths: list[Path], answers: Answers, **target: Any) -> int:
    files = finish(outgoing(paths))
    return finish(deliver(files, WebChannel(WebTarget(answers.address, **target), 5.0), SOON))


def status(code: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return code, {name.replace("_", "-"): value for name, value in headers.items()}, b""


def failed(instance_uid: str, reason: int) -> tuple[int, dict[str, str], bytes]:
    item = {"00081155": {"vr": "UI", "Value": [instance_uid]}, "00081197": {"vr": "US", "Value": [reason]}}
    body = json.dumps({"00081198": {"vr": "SQ", "Value": [item]}}).encode()
    return 409, {"Content-Type": "application/dicom+json"}, body


def test_a_passing_failure_is_tried_again_and_each_file_arrives_once(service: Answers, series: list[Path]) -> None:
    service.queue = [status(503, Retry_After="0"), None, status(200), status(502)]
    assert send(series[:2], service) == 2
    arrived = [body.split(b"\r\n\r\n", 1)[1] for body in service.bodies]
    files = [path.read_bytes() for path in series[:2]]
    # Twice in vain, then the first; once in vain, then the second.
    assert [body.startswith(files[0]) for body in arrived] == [True, True, True, False, False]
    assert [body.startswith(files[1]) for body in arrived] == [False, False, False, True, True]


def test_a_failure_half_way_says_how_far_it_came(service: Answers, series: list[Path]) -> None:
    service.queue = [status(200), status(200), status(500), status(500), status(500)]
    with pytest.raises(NeedMissing, match=r"answers 500 .*3 tries.*; 2 of 5 files had arrived"):
        send(series, service)
    assert len(service.bodies) == 5


def test_a_refused_file_is_named_and_the_others_still_go(service: Answers, series: list[Path]) -> None:
    second = str(pydicom.dcmread(series[1]).SOPInstanceUID)
    service.queue = [status(200), failed(second, 0xA900)]
    with pytest.raises(InputRefused, match=r"took 4 of 5 files and refused .*slice1\.dcm: not stored, reason 0xA900"):
        send(series, service)
    assert len(service.bodies) == 5


def test_a_success_that_does_not_name_the_file_is_none(service: Answers, series: list[Path]) -> None:
    stored = {"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.3"]}}]}}
    service.queue = [(200, {"Content-Type": "application/dicom+json"}, json.dumps(stored).encode())]
    with pytest.raises(InputRefused, match="took 0 of 1"):
        send(series[:1], service)


@pytest.mark.parametrize("body", [b"[]", b"<html>", b"\xff\xfe", b'{"00081198": 7, "00081199": {"Value": [1, {}]}}'])
def test_an_odd_answer_breaks_nothing(service: Answers, series: list[Path], body: bytes) -> None:
    service.queue = [(200, {}, body)]
    assert send(series[:1], service) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (status(401), "needs credentials"),
        (status(403), "needs credentials"),
        (status(404), "is no DICOMweb service"),
        (status(302, Location="https://evil.example.org/x"), "points to evil.example.org"),
    ],
)
def test_what_trying_again_cannot_mend_ends_it_at_once(
    service: Answers, series: list[Path], answer: tuple[int, dict[str, str], bytes], words: str
) -> None:
    service.queue = [answer]
    with pytest.raises(InputRefused, match=words):
        send(series, service)
    assert len(service.bodies) == 1


def test_nobody_at_the_address_is_told_in_one_line(series: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main(["send", str(series[0]), "--dicomweb", f"http://127.0.0.1:{port}", "--tries", "1", "--yes"]) == 4
    assert main(["send", str(series[0]), "--dimse", f"127.0.0.1:{port}", "--tries", "1", "--yes"]) == 4
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("regionreport: error")]
    assert len(lines) == 2 and all("does not answer" in line and "0 of 1 files" in line for line in lines)


def test_a_token_goes_out_but_is_never_shown(
    service: Answers,
    series: list[Path],
    tmp_path: Path,
    netrc: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    netrc(PASSWORD)  # the token goes before it
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="ascii")
    with caplog.at_level("DEBUG"):
        where = ["--dicomweb", service.address, "--token-file", str(tmp_path / "token")]
        assert main(["send", str(series[0]), *where, "--yes", "--json-progress"]) == 0
    assert service.headers[0]["Authorization"] == f"Bearer {TOKEN}"
    told = capsys.readouterr()
    assert TOKEN not in told.out + told.err + caplog.text + repr(WebTarget(service.address, TOKEN))
    assert json.loads(told.out.splitlines()[-1])["sent"] == 1


def test_credentials_go_out_over_https_only(series: list[Path]) -> None:
    with pytest.raises(InputRefused, match="not encrypted"):
        WebChannel(WebTarget("http://pacs.example.org/dicom-web", TOKEN))
    with pytest.raises(InputRefused, match="user name or password") as refused:
        WebTarget(f"https://{USER}:{PASSWORD}@pacs.example.org/")
    assert PASSWORD not in str(refused.value)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    series: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", requests.certs.where())  # it must not take the place of --ca
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make.split(), *files], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    serving = serve(tls)
    answers = next(serving)
    try:
        with pytest.raises(InputRefused, match="no certificate that is trusted"):
            send(series[:1], answers)
        assert answers.bodies == []
        assert send(series[:1], answers, certificates=certificate) == 1
    finally:
        serving.close()


# What a C-STORE peer does with each request in turn: a status, or None to break the association; then success.
def store_to(peer_does: list[int | None], paths: list[Path]) -> tuple[int, list[str]]:
    """Send to a peer of this computer and return how many arrived, and the instances that it was asked to store."""
    from pynetdicom import AE, evt

    asked: list[str] = []

    def on_store(event: Any) -> int:
        asked.append(str(event.request.AffectedSOPInstanceUID))
        answer = peer_does.pop(0) if peer_does else 0
        if answer is None:
            event.assoc.abort()
            return 0
        return answer

    peer = AE(ae_title="PEER")
    peer.add_supported_context(CT_IMAGE)
    server = peer.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store)])
    try:
        files = finish(outgoing(paths))
        target = DimseTarget("127.0.0.1", server.server_address[1], called="PEER")
        return finish(deliver(files, DimseChannel(target, files, 10.0), SOON)), asked
    finally:
        server.shutdown()


def test_c_store_goes_on_after_a_lost_association_and_a_full_disk(series: list[Path]) -> None:
    uids = [str(pydicom.dcmread(path).SOPInstanceUID) for path in series[:3]]
    arrived, asked = store_to([0, None, 0, 0xA700, 0xB000], series[:3])
    assert arrived == 3
    assert asked == [uids[0], uids[1], uids[1], uids[2], uids[2]]


def test_c_store_names_the_file_that_is_refused(series: list[Path]) -> None:
    with pytest.raises(InputRefused, match=r"took 2 of 3 files and refused .*slice1\.dcm: not stored, status 0xC123"):
        store_to([0, 0xC123, 0], series[:3])


def test_c_store_says_how_far_it_came(series: list[Path]) -> None:
    with pytest.raises(NeedMissing, match=r"no room now \(0xA700\) \(3 tries\); 1 of 3 files had arrived"):
        store_to([0, 0xA700, 0xA700, 0xA700], series[:3])


# --- what goes out, and whether ---------------------------------------------------------------------------------


def test_nothing_is_sent_before_somebody_said_yes(
    service: Answers, series: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["send", str(series[0].parent), "--dicomweb", service.address]
    assert main(command) == 3
    told = capsys.readouterr()
    assert "5 CT" in told.out and "NOT encrypted" in told.out and "--yes" in told.err
    for answer, code in (("no\n", 5), ("", 5), ("yes\n", 0)):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        assert main(command) == code
        assert len(service.bodies) == (5 if code == 0 else 0)


class Terminal:
    """A terminal at which somebody types one line."""

    def __init__(self, line: str) -> None:
        self._line = line

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self._line


def test_cancelling_stops_after_the_file_under_way(service: Answers, series: list[Path]) -> None:
    work = deliver(finish(outgoing(series)), WebChannel(WebTarget(service.address), 5.0), SOON)
    told = [next(work)]
    while not told[-1].stage.startswith("sending file 3"):
        told.append(next(work))
    work.close()
    assert len(service.bodies) == 2
    assert isinstance(told[0], Progress) and [p.fraction for p in told] == sorted(p.fraction for p in told)


def test_a_folder_gives_its_dicom_files_and_a_named_file_must_be_one(series: list[Path]) -> None:
    folder = series[0].parent
    (folder / "report.json").write_text("{}", encoding="utf-8")
    files = finish(outgoing([folder, series[2]]))
    assert [file.path for file in files] == series
    assert {file.sop_class_uid for file in files} == {CT_IMAGE}
    (line,) = summary(files)
    assert "Müller^Ada (P-17)" in line and "5 CT" in line
    with pytest.raises(InputRefused, match="is no DICOM file"):
        finish(outgoing([folder / "report.json"]))
    with pytest.raises(InputRefused, match="no such file"):
        finish(outgoing([folder / "missing.dcm"]))


def test_an_empty_folder_a_doubled_object_and_a_damaged_file_are_refused(series: list[Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputRefused, match="there is no DICOM file"):
        finish(outgoing([tmp_path / "empty"]))
    shutil.copy(series[0], tmp_path / "copy.dcm")
    with pytest.raises(InputRefused, match="are the same DICOM object"):
        finish(outgoing([series[0], tmp_path / "copy.dcm"]))
    (tmp_path / "cut.dcm").write_bytes(series[0].read_bytes()[:200])
    with pytest.raises(InputRefused, match=r"cut\.dcm"):
        finish(outgoing([tmp_path / "cut.dcm"]))


def test_hostile_identifiers_do_not_reach_the_terminal(series: list[Path]) -> None:
    image = pydicom.dcmread(series[0])
    image.PatientID = "x\x1b]0;owned\x07"
    image.save_as(series[0])
    assert all(line.isprintable() for line in summary(finish(outgoing(series))))


@pytest.mark.parametrize("text", ["host", "host:", "host:x", "host:99999999", "a:b:1", ":104", "host:0"])
def test_a_bad_address_is_refused(text: str) -> None:
    with pytest.raises(InputRefused):
        DimseTarget(*dimse_address(text))


def test_addresses_and_titles_are_read() -> None:
    assert dimse_address("[::1]:104") == ("::1", 104)
    assert dimse_address("pacs.example.org:11112") == ("pacs.example.org", 11112)
    with pytest.raises(InputRefused, match="AE title"):
        DimseTarget("h", 104, called="MUCH-TOO-LONG-TITLE")
    with pytest.raises(InputRefused, match="AE title"):
        DimseTarget("h", 104, calling="A\\B")
