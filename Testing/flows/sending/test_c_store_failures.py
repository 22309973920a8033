"""C-STORE peers that fail: lost associations, full disks, refusals; addresses and titles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.export.send import Patience, deliver, outgoing
from RegionReportLib.progress import finish

pytest.importorskip("requests", reason="the package requests is not installed")
pytest.importorskip("pynetdicom", reason="the package pynetdicom is not installed")

from RegionReportLib.export.send_dimse import DimseChannel, DimseTarget, dimse_address

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SOON = Patience(tries=3, first_wait_s=0.01, timeout_s=20.0)


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


def test_nobody_at_the_address_is_told_in_one_line(
    series: list[Path], silent_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["send", str(series[0]), "--dicomweb", f"http://127.0.0.1:{silent_port}", "--tries", "1", "--yes"]) == 4
    assert main(["send", str(series[0]), "--dimse", f"127.0.0.1:{silent_port}", "--tries", "1", "--yes"]) == 4
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("regionreport: error")]
    assert len(lines) == 2 and all("does not answer" in line and "0 of 1 files" in line for line in lines)


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
