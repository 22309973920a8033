"""Thousands of damaged files: a clear refusal or the same report, never anything else."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from RegionReportLib.errors import Conflict, InputRefused, RegionReportError
from RegionReportLib.report import edits as e
from RegionReportLib.report.audit import START, Act, chain, read_trail, to_line
from RegionReportLib.report.document import Report
from RegionReportLib.report.json_form import report_to_dict
from RegionReportLib.report.report_file import report_from_bytes
from RegionReportLib.report.store import create_draft, open_draft, view_draft

FEW, MANY = 250, 10_000

WEIRD = [
    None, True, False, 0, -1, 1, 10**15, 10**30, 10**400, -0.0, 1e-320, 1e308, float("nan"), float("inf"), "", "x",
    "\ud800", "\x00", "s1", "lungs", "regionreport.report/2", "9" * 5000, [],
    [[]], {}, {"": None}, [None], ["s1", "s1"], [0, 1],
]  # fmt: skip


def paths_in(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All places in a JSON value, the value itself left out."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, part in inner for path in ((*here, key), *paths_in(part, (*here, key)))]


def holder(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        value = value[key]
    return value


def bent(value: Any, random_: random.Random) -> Any:
    """Bend a JSON value in one to three places: other types, missing and foreign keys, doubles, other order."""
    value = copy.deepcopy(value)
    for _ in range(random_.choice((1, 1, 1, 2, 3))):
        paths = paths_in(value)
        if not paths:
            break
        path = random_.choice(paths)
        owner, key = holder(value, path), path[-1]
        what = random_.randrange(7)
        if what <= 2:
            owner[key] = copy.deepcopy(random_.choice(WEIRD))
        elif what == 3:
            del owner[key]
        elif what == 4:
            other = random_.choice(paths)
            owner[key] = copy.deepcopy(holder(value, other)[other[-1]])
        elif isinstance(owner, list):
            owner.insert(random_.randrange(len(owner) + 1), copy.deepcopy(owner[key]))
        else:
            owner[random_.choice(["extra", "Text", "", "kind"])] = copy.deepcopy(owner[key])
    return value


def as_text(value: Any, random_: random.Random) -> bytes:
    """Write JSON in one of the forms that strangers write it in."""
    form = random_.randrange(4)
    text = json.dumps(value, ensure_ascii=form != 1, indent=form if form > 1 else None, sort_keys=form == 3)
    return text.encode("utf-8", "surrogatepass")


def flip(content: bytes, random_: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(random_.choice((1, 1, 2, 20))):
        damaged[random_.randrange(len(damaged))] = random_.randrange(256)
    return bytes(damaged)


def cut(content: bytes, random_: random.Random) -> bytes:
    return content[: random_.randrange(len(content))]


def drop(content: bytes, random_: random.Random) -> bytes:
    start = random_.randrange(len(content))
    return content[:start] + content[start + random_.randrange(1, 200) :]


def repeat(content: bytes, random_: random.Random) -> bytes:
    start = random_.randrange(len(content))
    return content[:start] + content[max(0, start - random_.randrange(1, 200)) :]


def nest(content: bytes, random_: random.Random) -> bytes:
    at = content.index(b":", random_.randrange(len(content) // 2)) + 1
    depth = random_.choice((3, 50, 900, 5_000, 100_000))
    return content[:at] + b"[" * depth + b"]" * random_.choice((0, depth)) + content[at:]


def double_key(content: bytes, random_: random.Random) -> bytes:
    at = random_.choice([n for n in range(len(content)) if content[n : n + 1] == b"{"])
    return content[: at + 1] + b'"id": "other", "kind": "accept", "id": "s1", ' + content[at + 1 :]


def escape(content: bytes, random_: random.Random) -> bytes:
    at = random_.choice([n for n in range(len(content)) if content[n : n + 1] == b'"'])
    return (
        content[: at + 1]
        + random_.choice((b"\\ud800", b"\\u0000", b"\\udc00\\ud800", b"\xff", b"\xed\xa0\x80"))
        + content[at + 1 :]
    )


def bend_report(content: bytes, random_: random.Random) -> bytes:
    return as_text(bent(json.loads(content), random_), random_)


def bend_line(content: bytes, random_: random.Random) -> bytes:
    lines = content.splitlines()
    at = random_.randrange(len(lines))
    lines[at] = as_text(bent(json.loads(lines[at]), random_), random_).replace(b"\n", b" ")
    return b"\n".join(lines) + b"\n"


def shuffle_lines(content: bytes, random_: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    one, other = random_.randrange(len(lines)), random_.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines if random_.random() < 0.5 else lines[: max(one, 1)])


def forge_line(content: bytes, random_: random.Random) -> bytes:
    """Bend the content of an act and make all digests anew: only the meaning can be refused."""
    entries = read_trail(content)
    at = random_.randrange(len(entries))
    made: list[Any] = []
    for n, entry in enumerate(entries):
        act = entry.act
        if n == at:
            value = {"kind": act.kind, "data": act.data, "flags": act.flags}
            value = bent(value, random_)
            act = Act(act.at, act.actor, value.get("kind", ""), value.get("data", {}), act.words, value.get("flags"))
        made.append(chain(act, made[-1].head if made else START))
    return b"".join(to_line(entry) for entry in made)


Mutation = Callable[[bytes, random.Random], bytes]
ANY: list[Mutation] = [flip, cut, drop, repeat, nest, double_key, escape]
OF_REPORT: list[Mutation] = [*ANY, bend_report, bend_report, bend_report, bend_report]
OF_TRAIL: list[Mutation] = [*ANY, bend_line, bend_line, shuffle_lines, forge_line, forge_line]


def mutate(content: bytes, mutations: list[Mutation], random_: random.Random) -> bytes | None:
    try:
        damaged = random_.choice(mutations)(content, random_)
    except (InputRefused, TypeError, ValueError):  # what was bent cannot even be written
        return None
    return damaged if damaged != content else None


@pytest.fixture
def lived(tmp_path: Path, drafted: Report) -> Path:
    """A draft with some life: every way an entry can look, short of the signature."""
    folder = tmp_path / "lived"
    create_draft(folder, drafted.with_sentences(drafted.sentences[:3]), actor="writer")
    with open_draft(folder, actor="Dr Ä") as draft:
        draft.apply(e.MarkViewed("s1"))
        draft.apply(e.ChangeText("s1", "Right fluid."))
        draft.apply(e.Add("r1", "New.", ("lungs",), draft.report.sentence("s1").anchors))
        draft.undo()
        draft.redo()
        draft.apply(e.AnswerFlag("s2", draft.report.sentence("s2").flags[0].key, "seen"))
        draft.apply(e.Split("s2", 9, "r9"))
    return folder


def signed(folder: Path) -> Path:
    with open_draft(folder, actor="Dr Ä") as draft:
        for sentence in draft.report.sentences:
            draft.apply(e.MarkViewed(sentence.id) if sentence.anchors else e.MarkPlaceless(sentence.id))
            draft.apply(e.Accept(sentence.id))
        draft.sign("Dr Ä")
    return folder


def fuzz_report_alone(content: bytes, count: int, seed: int) -> Counter[str]:
    """Read damaged report files; what is taken must be told by the report in full, nothing dropped or turned."""
    random_, seen = random.Random(seed), Counter[str]()
    while seen.total() < count:
        damaged = mutate(content, OF_REPORT, random_)
        if damaged is None:
            continue
        try:
            report = report_from_bytes(damaged)
        except InputRefused as refusal:
            assert "\n" not in str(refusal)[:80]
            seen["refused"] += 1
        else:
            assert report_to_dict(report) == json.loads(damaged)
            seen["read as written"] += 1
    return seen


def fuzz_folder(folder: Path, name: str, mutations: list[Mutation], count: int, seed: int) -> Counter[str]:
    """Open folders with one damaged file: the report as it was, or a refusal."""
    good = view_draft(folder).report
    content = (folder / name).read_bytes()
    random_, seen = random.Random(seed), Counter[str]()
    while seen.total() < count:
        damaged = mutate(content, mutations, random_)
        if damaged is None:
            continue
        (folder / name).write_bytes(damaged)
        try:
            draft = view_draft(folder)
        except (InputRefused, Conflict):
            seen["refused"] += 1
        else:
            assert draft.report == good
            assert draft.notes or name == "audit.jsonl"
            seen["same report"] += 1
    (folder / name).write_bytes(content)
    return seen


def fuzz_everything(folder: Path, count: int, seed: int) -> Counter[str]:
    """Spread `count` damaged files over all loaders."""
    seen = fuzz_report_alone((folder / "report.json").read_bytes(), count * 4 // 10, seed)
    seen += fuzz_folder(folder, "report.json", OF_REPORT, count * 2 // 10, seed + 1)
    seen += fuzz_folder(folder, "audit.jsonl", OF_TRAIL, count * 3 // 10, seed + 2)
    seen += fuzz_folder(folder, "draft.json", OF_REPORT, count // 10, seed + 3)
    return seen


def test_damaged_files_are_refused_or_give_the_same_report(lived: Path) -> None:
    seen = fuzz_everything(lived, FEW, 1)
    assert seen.total() == FEW
    assert min(seen["refused"], seen["same report"], seen["read as written"]) > 0


@pytest.mark.slow
def test_ten_thousand_damaged_files_are_refused_or_give_the_same_report(lived: Path) -> None:
    seen = fuzz_everything(lived, MANY // 2, 100) + fuzz_everything(signed(lived), MANY // 2, 200)
    assert seen.total() == MANY


def test_opening_for_writing_mends_or_refuses_and_never_loses_an_edit(lived: Path, tmp_path: Path) -> None:
    good = view_draft(lived).report
    random_ = random.Random(3)
    for n in range(60):
        folder = tmp_path / f"copy{n}"
        shutil.copytree(lived, folder)
        name, mutations = random_.choice((("report.json", OF_REPORT), ("audit.jsonl", OF_TRAIL)))
        damaged = mutate((folder / name).read_bytes(), mutations, random_)
        if damaged is None:
            continue
        (folder / name).write_bytes(damaged)
        try:
            with open_draft(folder, actor="Dr B") as draft:
                assert draft.report == good
        except RegionReportError:
            assert (folder / name).read_bytes() == damaged
        else:
            assert view_draft(folder).report == good
            assert view_draft(folder).notes == ()
