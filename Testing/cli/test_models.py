"""`regionreport models` as a user meets it: what there is, fetched only after a yes, checked, removed."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from RegionReportLib.cli.main import main

FILES = {
    name: f"content of {name}".encode() for name in ("config.json", "vocab.json", "merges.txt", "RadBertClassifier.pth")
}


class Hub(BaseHTTPRequestHandler):
    """Serves FILES with their digests, and counts what was asked."""

    asked: tuple[str, ...] = ()

    def log_message(self, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        type(self).asked += (self.command,)
        body = FILES[self.path.rsplit("/", 1)[1]]
        self.send_response(200)
        self.send_header("X-Repo-Commit", "b" * 40)
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGIONREPORT_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def hub(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    own = type("OwnHub", (Hub,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), own)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield own
    server.shutdown()
    server.server_close()


def test_the_list_tells_place_size_licence_and_source(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    told = capsys.readouterr().out
    for words in (
        f"Models are kept in {home}",
        "about 13.7 GB",
        "https://huggingface.co/meta-llama/Llama-2-7b-chat-hf (Llama 2 Community License), after its licence",
        "not here; regionreport models fetch radbert",
    ):
        assert words in told
    (home / "mine").mkdir(parents=True)
    (home / "mine" / "w.bin").write_bytes(bytes(3_000_000))
    assert main(["models", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [m["name"] for m in listed["models"]] == ["reg2rg", "radbert", "monai-bundle", "voxtell"]
    assert listed["models"][0]["missing"] == ["tokenizer.json", "pytorch_model.bin"]
    assert listed["others"] == [{"folder": str(home / "mine"), "size_bytes": 3_000_000}]


def test_nothing_comes_without_a_yes(hub: type[Hub], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "fetch", "radbert"]) == 3
    told = capsys.readouterr().err
    assert "RadBertClassifier.pth  0.0 kB  from https://huggingface.co/Trusure/Reg2RG" in told
    assert "nothing was fetched; say --yes" in told
    assert set(hub.asked) == {"HEAD"}
    assert not home.exists()


def test_a_model_is_fetched_and_removed(hub: type[Hub], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "fetch", "radbert", "--yes"]) == 0
    out = capsys.readouterr().out
    assert out.strip() == str(home / "radbert")
    assert {f.name: f.read_bytes() for f in (home / "radbert").iterdir() if f.name in FILES} == FILES
    record = json.loads((home / "radbert" / "regionreport-model.json").read_text(encoding="utf-8"))
    assert record["files"]["vocab.json"]["sha256"] == hashlib.sha256(FILES["vocab.json"]).hexdigest()
    before = len(hub.asked)
    assert main(["models", "fetch", "radbert"]) == 0
    assert "are here already" in capsys.readouterr().err
    assert len(hub.asked) == before
    assert main(["models", "remove", "radbert"]) == 3
    assert "nothing was deleted" in capsys.readouterr().err
    assert main(["models", "remove", "radbert", "--yes"]) == 0
    assert not (home / "radbert").exists()
    assert main(["models", "remove", "radbert", "--yes"]) == 3


def test_a_folder_of_the_user_needs_no_network(hub: type[Hub], home: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name, content in FILES.items():
        (own / name).write_bytes(content)
    assert main(["models", "fetch", "radbert", "--from", str(own)]) == 0
    assert (home / "radbert" / "vocab.json").read_bytes() == FILES["vocab.json"]
    assert hub.asked == ()


def test_checking_says_what_is_wrong_with_a_folder(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "check", str(tmp_path / "none")]) == 4
    (tmp_path / "empty").mkdir()
    assert main(["models", "check", str(tmp_path / "empty")]) == 4
    assert "holds no weights" in capsys.readouterr().err
    (tmp_path / "empty" / "pytorch_model.bin").write_bytes(b"text")
    assert main(["models", "check", str(tmp_path / "empty")]) == 4
    assert "tokenizer.json" in capsys.readouterr().err
