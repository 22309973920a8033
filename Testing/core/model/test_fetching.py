"""Fetching from a hub that stands on this computer: whole, in part, broken off, refused, and never unasked."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from RegionReportLib.errors import InputRefused, NeedMissing
from RegionReportLib.model.catalogue import MODELS, KnownModel, Source, known_model
from RegionReportLib.model.digests import digests_of, read_record
from RegionReportLib.model.fetching import fetch, plan
from RegionReportLib.model.folders import kept, models_home, other_folders
from RegionReportLib.model.keeping import remove, take
from RegionReportLib.progress import Progress, finish

COMMIT = "a" * 40
LARGE = bytes(range(256)) * 4096  # 1 MiB
SMALL = b'{"small": true}\n'
SHA256_OF_LARGE = "fbbab289f7f94b25736c58be46a994c441fd02552cc6022352e3d86d2fab7c83"
MODEL = KnownModel(
    "test",
    "A test",
    "none",
    (Source("open/small", ("words.json",), "MIT"), Source("open/large", ("weights.bin",), "MIT")),
    0.1,
)
GATED = KnownModel("gated", "A gated one", "none", (Source("closed/model", ("w.bin",), "Its licence", True),), 0.1)


@dataclass
class Hub:
    """What the server gives, how it fails, and what it was asked."""

    address: str = ""
    lie: bool = False  # gives other bytes than it announces
    break_at: int | None = None  # bytes of a large file after which the line breaks
    deaf_to_ranges: bool = False
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def ranges(self) -> list[str | None]:
        return [headers.get("Range") for method, path, headers in self.asked if method == "GET" and "cdn" in path]


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._note()
        if self.path.startswith("/closed/"):
            self._answer(403, {"X-Error-Code": "GatedRepo"})
        elif self.path.endswith("words.json"):
            sha1 = hashlib.sha1(b"blob %d\0" % len(SMALL) + SMALL).hexdigest()  # git's name of a small file
            self._answer(200, {"X-Repo-Commit": COMMIT, "ETag": f'"{sha1}"', "Content-Length": str(len(SMALL))})
        elif self.path.endswith("weights.bin"):
            linked = {"X-Linked-Etag": f'"{SHA256_OF_LARGE}"', "X-Linked-Size": str(len(LARGE))}
            cdn = self.hub.address.replace("127.0.0.1", "localhost") + "/cdn/weights"
            self._answer(302, {"X-Repo-Commit": COMMIT, "Location": cdn, **linked})
        else:
            self._answer(404, {"X-Error-Code": "EntryNotFound"})

    def do_GET(self) -> None:
        self._note()
        body = LARGE if "cdn" in self.path else SMALL
        if self.hub.lie:
            body = bytes(len(body))
        start = 0
        if not self.hub.deaf_to_ranges and "Range" in self.headers:
            start = int(self.headers["Range"].removeprefix("bytes=").split("-")[0])
        broken = self.hub.break_at is not None and body is LARGE
        if broken and start >= (self.hub.break_at or 0):
            self._answer(503, {})
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : self.hub.break_at if broken else None])

    def _answer(self, code: int, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def _note(self) -> None:
        self.hub.asked.append((self.command, self.path, dict(self.headers)))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on this computer, and a models folder of its own."""
    told = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": told}))
    told.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", told.address)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("REGIONREPORT_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 50_000)  # a break loses a piece at most
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda s: None)  # between its own tries
    yield told
    server.shutdown()
    server.server_close()


def test_a_fetched_model_is_whole_recorded_and_removable(hub: Hub) -> None:
    what = finish(plan(MODEL))
    assert {(f.name, f.size, f.commit) for f in what.files} == {
        ("words.json", 16, COMMIT),
        ("weights.bin", 1 << 20, COMMIT),
    }
    assert what.bytes_left == 16 + (1 << 20)
    assert all(method == "HEAD" for method, _, _ in hub.asked)  # asking for the size fetches nothing
    seen: list[Progress] = []
    folder = finish(fetch(what), seen.append)
    assert folder == models_home() / "test"
    assert (folder / "weights.bin").read_bytes() == LARGE
    assert (folder / "words.json").read_bytes() == SMALL
    assert read_record(folder)["weights.bin"]["sha256"] == SHA256_OF_LARGE
    assert kept(MODEL).complete
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert any("fetching weights, " in p.stage for p in seen)
    asked = len(hub.asked)
    assert finish(plan(MODEL)).files == ()
    assert len(hub.asked) == asked  # what is here is not asked for again
    (folder / "mine.txt").write_text("mine")
    assert remove(MODEL) >= len(LARGE) + len(SMALL)
    assert [f.name for f in folder.iterdir()] == ["mine.txt"]
    assert [f.name for f in other_folders(MODELS)] == ["test"]


def test_the_token_goes_to_the_hub_and_nowhere_else(hub: Hub) -> None:
    finish(fetch(finish(plan(MODEL))))
    sent = {
        ("cdn" in path): headers.get("Authorization", headers.get("authorization")) for _, path, headers in hub.asked
    }
    assert sent == {False: "Bearer hf_secret", True: None}


def test_a_broken_line_loses_nothing_and_goes_on_where_it_broke(hub: Hub) -> None:
    hub.break_at = 700_000
    with pytest.raises(NeedMissing, match="what has arrived is kept"):
        finish(fetch(finish(plan(MODEL))))
    there = kept(MODEL)
    assert there.missing == ("weights.bin",)
    (part,) = there.unfinished
    assert (there.folder / part).stat().st_size == 700_000
    hub.break_at = None
    again = finish(plan(MODEL))
    assert again.bytes_left == len(LARGE) - 700_000
    finish(fetch(again))
    assert hub.ranges()[-1] == "bytes=700000-"
    assert (there.folder / "weights.bin").read_bytes() == LARGE
    assert kept(MODEL).unfinished == ()


def test_a_server_that_begins_anew_is_understood(hub: Hub) -> None:
    hub.break_at = 700_000
    with pytest.raises(NeedMissing):
        finish(fetch(finish(plan(MODEL))))
    hub.break_at, hub.deaf_to_ranges = None, True
    finish(fetch(finish(plan(MODEL))))
    assert (models_home() / "test" / "weights.bin").read_bytes() == LARGE


def test_stopping_keeps_what_came(hub: Hub) -> None:
    work = fetch(finish(plan(MODEL)))
    while "fetching weights" not in next(work).stage:
        pass
    work.close()
    assert not (models_home() / "test" / "weights.bin").exists()
    finish(fetch(finish(plan(MODEL))))
    assert (models_home() / "test" / "weights.bin").read_bytes() == LARGE


def test_other_bytes_than_announced_are_refused_and_go(hub: Hub) -> None:
    hub.lie = True
    with pytest.raises(InputRefused, match=r"words\.json is not what the hub announced"):
        finish(fetch(finish(plan(MODEL))))
    assert list((models_home() / "test").iterdir()) == []


def test_a_gated_model_says_what_to_do(hub: Hub) -> None:
    with pytest.raises(NeedMissing) as told:
        finish(plan(GATED))
    for word in ("accept it on https://huggingface.co/closed/model", "Its licence", "hf auth login", "--from"):
        assert word in str(told.value)
    gone = KnownModel("gone", "", "", (Source("open/small", ("absent.bin",), "MIT"),), 0.1)
    with pytest.raises(NeedMissing, match="no longer holds what is wanted"):
        finish(plan(gone))


def test_without_a_network_the_way_around_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nobody listens
    with pytest.raises(NeedMissing, match=r"open/small was not reached .* --from"):
        finish(plan(MODEL))


def test_a_folder_serves_instead_of_a_network(hub: Hub, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "words.json").write_bytes(SMALL)
    with pytest.raises(NeedMissing, match=r"still lacks weights\.bin, .* models fetch test"):
        finish(take(MODEL, own))
    assert (models_home() / "test" / "words.json").read_bytes() == SMALL  # what there was is taken
    assert [f.name for f in finish(plan(MODEL)).files] == ["weights.bin"]  # and only the rest would be fetched
    hub.asked.clear()
    (own / "weights.bin").write_bytes(LARGE)
    folder = finish(take(MODEL, own))
    assert (folder / "weights.bin").read_bytes() == LARGE
    assert read_record(folder)["weights.bin"]["sha256"] == SHA256_OF_LARGE
    assert hub.asked == []
    remove(MODEL)
    assert (own / "weights.bin").read_bytes() == LARGE  # theirs stays
    with pytest.raises(InputRefused, match="is the place where the files would go"):
        finish(take(MODEL, models_home() / "test"))


def test_a_record_counts_only_while_the_file_is_as_it_was(hub: Hub) -> None:
    folder = finish(fetch(finish(plan(MODEL))))
    (folder / "weights.bin").write_bytes(LARGE[::-1])
    found = finish(digests_of(folder, [folder / "weights.bin"]))
    assert found["weights.bin"] == hashlib.sha256(LARGE[::-1]).hexdigest()


def test_doors_may_ask_without_loading_what_is_heavy() -> None:
    rooms = ", ".join(f"RegionReportLib.model.{n}" for n in ("catalogue", "folders", "keeping", "fetching", "digests"))
    heavy = "('torch', 'transformers', 'huggingface_hub', 'tokenizers', 'safetensors')"
    probe = f"import sys, {rooms}, RegionReportLib.draft.choose; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


NESTED = KnownModel(
    "nested",
    "Files in folders",
    "none",
    (Source("open/small", ("configs/words.json",), "MIT"), Source("open/large", ("models/weights.bin",), "MIT")),
    0.1,
)


def test_files_in_folders_are_fetched_recorded_and_removed_with_their_folders(hub: Hub) -> None:
    folder = finish(fetch(finish(plan(NESTED))))
    assert (folder / "configs/words.json").read_bytes() == SMALL
    assert (folder / "models/weights.bin").read_bytes() == LARGE
    assert read_record(folder)["models/weights.bin"]["sha256"] == SHA256_OF_LARGE
    assert finish(plan(NESTED)).files == ()
    remove(NESTED)
    assert not folder.exists()


def test_a_break_within_a_folder_goes_on_from_there(hub: Hub) -> None:
    hub.break_at = 700_000
    with pytest.raises(NeedMissing):
        finish(fetch(finish(plan(NESTED))))
    assert len(kept(NESTED).unfinished) == 1
    hub.break_at = None
    folder = finish(fetch(finish(plan(NESTED))))
    assert (folder / "models/weights.bin").read_bytes() == LARGE
    assert any(start is not None for start in hub.ranges())
    assert kept(NESTED).unfinished == ()


def test_the_catalogue_names_each_file_once() -> None:
    for model in MODELS:
        assert len(set(model.files)) == len(model.files)
        assert all(not name.startswith("/") and ".." not in name and "\\" not in name for name in model.files)
        assert known_model(model.name) is model
    with pytest.raises(ValueError, match="known are reg2rg, radbert"):
        known_model("poet")
