"""DICOMweb services that fail: each failure is told apart, and what can be mended is tried again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.export.send import Patience, deliver, outgoing
from RegionReportLib.progress import Progress, finish

pytest.importorskip("requests", reason="the package requests is not installed")

from RegionReportLib.export.send_web import WebChannel, WebTarget

SOON = Patience(tries=3, first_wait_s=0.01, timeout_s=20.0)
USER, PASSWORD, TOKEN = "reader", "s3cret-pass", "tok-3n-s3cret"


def send(paths: list[Path], answers: Any, **target: Any) -> int:
    files = finish(outgoing(paths))
    return finish(deliver(files, WebChannel(WebTarget(answers.address, **target), 5.0), SOON))


def status(code: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return code, {name.replace("_", "-"): value for name, value in headers.items()}, b""


def failed(instance_uid: str, reason: int) -> tuple[int, dict[str, str], bytes]:
    item = {"00081155": {"vr": "UI", "Value": [instance_uid]}, "00081197": {"vr": "US", "Value": [reason]}}
    body = json.dumps({"00081198": {"vr": "SQ", "Value": [item]}}).encode()
    return 409, {"Content-Type": "application/dicom+json"}, body


def test_a_passing_failure_is_tried_again_and_each_file_arrives_once(service: Any, series: list[Path]) -> None:
    service.queue = [status(503, Retry_After="0"), None, status(200), status(502)]
    assert send(series[:2], service) == 2
    arrived = [body.split(b"\r\n\r\n", 1)[1] for body in service.bodies]
    files = [path.read_bytes() for path in series[:2]]
    # Twice in vain, then the first; once in vain, then the second.
    assert [body.startswith(files[0]) for body in arrived] == [True, True, True, False, False]
    assert [body.startswith(files[1]) for body in arrived] == [False, False, False, True, True]


def test_a_failure_half_way_says_how_far_it_came(service: Any, series: list[Path]) -> None:
    service.queue = [status(200), status(200), status(500), status(500), status(500)]
    with pytest.raises(NeedMissing, match=r"answers 500 .*3 tries.*; 2 of 5 files had arrived"):
        send(series, service)
    assert len(service.bodies) == 5


def test_a_refused_file_is_named_and_the_others_still_go(service: Any, series: list[Path]) -> None:
    second = str(pydicom.dcmread(series[1]).SOPInstanceUID)
    service.queue = [status(200), failed(second, 0xA900)]
    with pytest.raises(InputRefused, match=r"took 4 of 5 files and refused .*slice1\.dcm: not stored, reason 0xA900"):
        send(series, service)
    assert len(service.bodies) == 5


def test_a_success_that_does_not_name_the_file_is_none(service: Any, series: list[Path]) -> None:
    stored = {"00081199": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": ["1.2.3"]}}]}}
    service.queue = [(200, {"Content-Type": "application/dicom+json"}, json.dumps(stored).encode())]
    with pytest.raises(InputRefused, match="took 0 of 1"):
        send(series[:1], service)


@pytest.mark.parametrize("body", [b"[]", b"<html>", b"\xff\xfe", b'{"00081198": 7, "00081199": {"Value": [1, {}]}}'])
def test_an_odd_answer_breaks_nothing(service: Any, series: list[Path], body: bytes) -> None:
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
    service: Any, series: list[Path], answer: tuple[int, dict[str, str], bytes], words: str
) -> None:
    service.queue = [answer]
    with pytest.raises(InputRefused, match=words):
        send(series, service)
    assert len(service.bodies) == 1


def test_a_token_goes_out_but_is_never_shown(
    service: Any,
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


def test_cancelling_stops_after_the_file_under_way(service: Any, series: list[Path]) -> None:
    work = deliver(finish(outgoing(series)), WebChannel(WebTarget(service.address), 5.0), SOON)
    told = [next(work)]
    while not told[-1].stage.startswith("sending file 3"):
        told.append(next(work))
    work.close()
    assert len(service.bodies) == 2
    assert isinstance(told[0], Progress) and [p.fraction for p in told] == sorted(p.fraction for p in told)
