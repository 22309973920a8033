"""Encrypted ways: who is not whom we trust gets nothing, and an archive that asks who we are is told.

Certificates are made for the tests; the archive that checks ours is a real one.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.errors import InputRefused
from RegionReportLib.export.send import Patience, deliver, outgoing
from RegionReportLib.progress import finish

requests = pytest.importorskip("requests", reason="the package requests is not installed")
pytest.importorskip("pynetdicom", reason="the package pynetdicom is not installed")

from RegionReportLib.export.send_dimse import DimseTarget  # noqa: E402
from RegionReportLib.export.send_web import WebChannel, WebTarget  # noqa: E402

SOON = Patience(tries=3, first_wait_s=0.01, timeout_s=20.0)


def speaking(certificate: Path, trusted: Path | None = None) -> ssl.SSLContext:
    """A server's settings; with `trusted` it asks for a certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    if trusted is not None:
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_verify_locations(trusted)
    return tls


def send(paths: list[Path], answers: Any, **target: Any) -> int:
    files = finish(outgoing(paths))
    return finish(deliver(files, WebChannel(WebTarget(answers.address, **target), 5.0), SOON))


# --- C-STORE ----------------------------------------------------------------------------------------------------


def orthanc_settings(certificates: Any, server: Path, asks: bool) -> dict[str, Any]:
    return {
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(server),
        "DicomTlsPrivateKey": str(server),
        "DicomTlsTrustedCertificates": str(certificates.authority),
        "DicomTlsRemoteCertificateRequired": asks,
    }


@pytest.fixture(scope="module")
def secure(
    run_orthanc: Callable[..., Any], certificates: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """An archive that takes C-STORE over TLS only and asks nobody for a certificate."""
    settings = orthanc_settings(certificates, certificates.server, asks=False)
    with run_orthanc(tmp_path_factory.mktemp("secure"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def strict(
    run_orthanc: Callable[..., Any], certificates: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """An archive that also wants to know who sends."""
    settings = orthanc_settings(certificates, certificates.server, asks=True)
    with run_orthanc(tmp_path_factory.mktemp("strict"), settings) as running:
        yield running


def store(archive: Any, paths: list[Path], *words: Any) -> int:
    where = ["--dimse", f"127.0.0.1:{archive.dicom_port}", "--aet", "ORTHANC", "--tls", "--tries", "1", "--yes"]
    return main(["send", *map(str, paths), *where, *map(str, words)])


def kept(archive: Any, path: Path) -> bool:
    try:
        return bool(archive.keeps(path))
    except KeyError:
        return False


def test_an_archive_keeps_what_came_over_tls(
    secure: Any, series: list[Path], certificates: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert store(secure, series, "--ca", certificates.authority) == 0
    told = capsys.readouterr().out
    assert "(encrypted)" in told and "NOT" not in told and "5 files sent" in told
    assert all(kept(secure, path) for path in series)


@pytest.mark.parametrize("trusted", ["the system", "another authority"])
def test_an_archive_that_nobody_vouches_for_gets_nothing(
    secure: Any, series: list[Path], certificates: Any, capsys: pytest.CaptureFixture[str], trusted: str
) -> None:
    words = [] if trusted == "the system" else ["--ca", certificates.other_authority]
    assert store(secure, series, *words) == 3
    told = capsys.readouterr().err
    assert "no certificate that is trusted here" in told and "--ca" in told and "0 of 5 files" in told
    assert told.count("\n") == 1
    assert not any(kept(secure, path) for path in series)


def test_an_archive_with_the_certificate_of_another_place_gets_nothing(
    run_orthanc: Callable[..., Any],
    series: list[Path],
    certificates: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = orthanc_settings(certificates, certificates.server_elsewhere, asks=False)
    with run_orthanc(tmp_path, settings) as elsewhere:
        assert store(elsewhere, series, "--ca", certificates.authority) == 3
        assert "not valid for '127.0.0.1'" in capsys.readouterr().err
        assert not any(kept(elsewhere, path) for path in series)


def test_an_archive_that_asks_who_we_are_is_told(strict: Any, series: list[Path], certificates: Any) -> None:
    assert store(strict, series, "--ca", certificates.authority, "--certificate", certificates.client) == 0
    assert all(kept(strict, path) for path in series)


@pytest.mark.parametrize("own", ["none", "another authority's"])
def test_an_archive_that_does_not_know_us_takes_nothing(
    strict: Any, series: list[Path], certificates: Any, capsys: pytest.CaptureFixture[str], own: str
) -> None:
    words = [] if own == "none" else ["--certificate", certificates.client_of_other]
    assert store(strict, series, "--ca", certificates.authority, *words) in (3, 4)
    told = capsys.readouterr().err
    assert "0 of 5 files" in told
    assert ("(--certificate)" if own == "none" else "not accept our certificate") in told
    assert not any(kept(strict, path) for path in series)


def test_an_archive_that_speaks_no_tls_gets_nothing(
    archive: Any, series: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert store(archive, series) in (3, 4)
    assert "does not answer over TLS; it may speak none" in capsys.readouterr().err
    assert not any(kept(archive, path) for path in series)


def test_without_tls_an_archive_that_speaks_nothing_else_gets_nothing(secure: Any, series: list[Path]) -> None:
    where = ["--dimse", f"127.0.0.1:{secure.dicom_port}", "--aet", "ORTHANC", "--tries", "1", "--yes"]
    assert main(["send", *map(str, series), *where]) == 4
    assert not any(kept(secure, path) for path in series)


# --- DICOMweb ---------------------------------------------------------------------------------------------------


def test_a_certificate_that_nobody_vouches_for_is_refused(
    serve_tls: Callable[..., Any], series: list[Path], certificates: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", requests.certs.where())  # it must not take the place of --ca
    with serve_tls(speaking(certificates.server)) as answers:
        with pytest.raises(InputRefused, match="no certificate that is trusted"):
            send(series[:1], answers)
        assert answers.bodies == []
        assert send(series[:1], answers, certificates=certificates.authority) == 1


def test_a_service_that_asks_who_we_are_is_told(
    serve_tls: Callable[..., Any], series: list[Path], certificates: Any
) -> None:
    with serve_tls(speaking(certificates.server, trusted=certificates.authority)) as answers:
        target = {"certificates": certificates.authority, "certificate": certificates.client}
        assert send(series[:1], answers, **target) == 1
        assert len(answers.bodies) == 1


# --- files that are none ----------------------------------------------------------------------------------------


def test_files_without_certificates_are_named_before_anything_is_sent(
    series: list[Path], certificates: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.pem").write_text("nothing", encoding="ascii")
    for where in (["--dimse", "127.0.0.1:104", "--tls"], ["--dicomweb", "https://127.0.0.1/x"]):
        for words, said in (
            (["--ca", tmp_path / "none.pem"], "none.pem holds no certificates"),
            (["--ca", tmp_path / "absent.pem"], "there is no file of certificates"),
            (["--certificate", tmp_path / "none.pem"], "none.pem holds no certificate with its key"),
            (["--certificate", certificates.client_with_password], "no password"),
        ):
            assert main(["send", str(series[0]), *where, *map(str, words), "--yes"]) == 3
            told = capsys.readouterr()
            assert said in told.err and told.err.count("\n") == 1 and "pass phrase" not in told.out + told.err


def test_certificates_without_tls_are_a_mistake(certificates: Any) -> None:
    with pytest.raises(InputRefused, match="say --tls"):
        DimseTarget("host", 104, certificates=certificates.authority)
