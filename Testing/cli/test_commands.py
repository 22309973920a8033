"""The command line as a user meets it: files, words, exit codes, and nothing half-written."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.report.json_form import report_from_json

Run = Callable[..., "subprocess.CompletedProcess[str]"]

FILES = {
    "report.json",
    "report.txt",
    "report.html",
    "measurements.json",
    "segmentation.seg.nrrd",
    "run.json",
    "draft.json",
    "audit.jsonl",
    "structures.seg.nrrd",
}


def error_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of the error; fails if there is more or none."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("regionreport: error: ")
    return lines[0]


def test_a_draft_folder_holds_everything_and_nothing_else(drafted: Path) -> None:
    assert {f.name for f in drafted.iterdir()} == FILES
    report = report_from_json((drafted / "report.json").read_bytes())
    assert {s.regions[0] for s in report.sentences} == set(report.coverage)
    assert all(s.anchors for s in report.sentences)


def test_the_keys_that_others_rely_on_are_in_the_files(drafted: Path) -> None:
    measurements = json.loads((drafted / "measurements.json").read_text(encoding="utf-8"))
    for entry in measurements:
        assert {"quantity", "region", "side", "value", "unit", "method", "reason"} <= set(entry)
        assert entry["value"] is not None or entry["reason"]
    volumes = {m["side"]: m["value"] for m in measurements if m["quantity"] == "volume" and m["region"] == "lungs"}
    assert volumes["right"] > 500
    assert volumes["left"] > 500
    record = json.loads((drafted / "run.json").read_text(encoding="utf-8"))
    assert len(record["settings"]["input_digest"]) == 64
    assert {"read", "segment", "measure", "write"} <= set(record["seconds"])


def test_the_same_scan_gives_the_same_report_but_for_its_times(
    drafted: Path, scan: Path, run: Run, tmp_path: Path
) -> None:
    assert run("draft", str(scan), "-o", str(tmp_path)).returncode == 0
    one, two = (json.loads((f / "report.json").read_text(encoding="utf-8")) for f in (drafted, tmp_path))
    for value in (one, two):
        del value["created_at"], value["id"]
    assert one == two


def test_show_prints_every_sentence_with_its_place(drafted: Path, run: Run) -> None:
    done = run("show", str(drafted))
    assert done.returncode == 0
    report = report_from_json((drafted / "report.json").read_bytes())
    for sentence in report.sentences:
        assert sentence.text in done.stdout
    assert done.stdout.count("⌖") >= len(report.sentences)


def test_measuring_with_the_drafts_own_segmentation_gives_its_measurements_or_says_what_is_lost(
    drafted: Path, scan: Path, run: Run, tmp_path: Path
) -> None:
    # The file holds regions; what was measured on a part of one (the trachea of the airways) is not in it.
    masks = str(drafted / "segmentation.seg.nrrd")
    assert run("measure", str(scan), "--segmentation", masks, "-o", str(tmp_path)).returncode == 0
    one, two = (json.loads((f / "measurements.json").read_text(encoding="utf-8")) for f in (drafted, tmp_path))
    # The lungs are whole in both; a part that the file does not tell apart may be measured otherwise, or not at all.
    lungs = [{m["id"]: m["value"] for m in found if m["region"] == "lungs"} for found in (one, two)]
    assert {i for i, value in lungs[0].items() if value is not None} >= {"lungs.volume.right", "lungs.volume.left"}
    assert lungs[1] == pytest.approx(lungs[0])
    assert all(m["reason"] for m in two if m["value"] is None)


def test_progress_as_json_lines_rises_to_one_and_ends_with_the_files(scan: Path, run: Run, tmp_path: Path) -> None:
    done = run("segment", str(scan), "-o", str(tmp_path), "--json-progress")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    fractions = [line["progress"] for line in lines if "progress" in line]
    assert fractions == sorted(fractions)
    assert len(fractions) > 5
    assert lines[-1] == {"done": [str(tmp_path / "segmentation.seg.nrrd")]}
    assert not done.stderr


def test_an_existing_report_is_grounded(scan: Path, run: Run, tmp_path: Path) -> None:
    text = tmp_path / "dictated.txt"
    text.write_text("FINDINGS:\nThe trachea is patent. No left pleural effusion.\n", encoding="utf-8")
    done = run("ground", str(text), str(scan), "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    report = report_from_json((tmp_path / "out" / "report.json").read_bytes())
    tied = {s.text: (s.regions, [a.place.name for a in s.anchors]) for s in report.sentences}
    assert tied["The trachea is patent."] == (("airways",), ["trachea"])
    assert tied["No left pleural effusion."] == (("lungs",), ["left lung"])


def test_signing_an_unjudged_report_is_refused_with_every_reason(drafted: Path, run: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(drafted, tmp_path / "copy")
    done = run("sign", str(folder), "--name", "Dr Åse")
    count = len(report_from_json((folder / "report.json").read_bytes()).sentences)
    assert done.returncode == 3
    assert done.stdout.count("not judged") == count
    assert "not signed" in error_line(done)


def test_verify_finds_a_changed_byte_and_history_tells_the_beginning(drafted: Path, run: Run, tmp_path: Path) -> None:
    folder = shutil.copytree(drafted, tmp_path / "copy")
    assert run("verify", str(folder)).returncode == 0
    assert "created" in run("history", str(folder)).stdout
    changed = (folder / "report.json").read_bytes().replace(b"Total", b"Tidal", 1)
    (folder / "report.json").write_bytes(changed)
    done = run("verify", str(folder))
    assert done.returncode == 3
    assert "report.json" in done.stdout


def test_work_of_a_reader_is_not_overwritten(drafted: Path, scan: Path, run: Run, tmp_path: Path) -> None:
    from RegionReportLib.report.edits import Accept
    from RegionReportLib.report.store import open_draft

    folder = shutil.copytree(drafted, tmp_path / "copy")
    with open_draft(folder, actor="Dr A") as draft:
        draft.apply(Accept(draft.report.sentences[0].id))
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    done = run("draft", str(scan), "-o", str(folder))
    assert done.returncode == 3
    assert "a reader has worked on" in error_line(done)
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["draft"], 2, "required"),
        (["draft", "x.nii", "-o", "y", "--writer", "poet"], 2, "poet"),
        (["frobnicate"], 2, "frobnicate"),
        (["draft", "missing.nii.gz", "-o", "OUT"], 3, "missing.nii.gz"),
        (["show", "OUT"], 3, "OUT"),
        (["export", "OUT"], 3, "OUT"),
        (["phantom", "--seed", "1", "--finding", "dragon", "-o", "OUT"], 3, "dragon"),
        (["phantom", "--seed", "-1", "-o", "OUT"], 3, "seed"),
        (["phantom", "--seed", "1", "--random", "--finding", "nodule", "-o", "OUT"], 3, "--random"),
        (["phantom", "--seed", "1", "--finding", "nodule:9:left:upper:cubic", "-o", "OUT"], 3, "calcified"),
    ],
)
def test_wrong_words_end_in_one_line(words: list[str], code: int, said: str, run: Run, tmp_path: Path) -> None:
    words = [w.replace("OUT", str(tmp_path / "OUT")) for w in words]
    done = run(*words)
    assert done.returncode == code
    assert said in error_line(done)


def test_an_error_of_ours_is_told_as_such_and_shown_with_debug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from RegionReportLib.cli import doctor

    monkeypatch.setattr(doctor, "examine", lambda: 1 / 0)
    assert main(["doctor"]) == 1
    assert "defect" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "doctor"])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after_lines", [1, 4, 8])
def test_cancelling_leaves_nothing_behind(how: signal.Signals, after_lines: int, scan: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "RegionReportLib.cli.main",
        "draft",
        str(scan),
        "-o",
        str(folder),
        "--json-progress",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after_lines):
            process.stdout.readline()
        process.send_signal(how)
        _, error = process.communicate(timeout=120)
    assert process.returncode == 5
    assert error == "regionreport: error: cancelled; nothing was written\n"
    assert not folder.exists()


def test_doctor_tells_what_would_run(run: Run) -> None:
    found = json.loads(run("doctor", "--json").stdout)
    assert found["packages"]["numpy"]["version"]
    assert found["machine"]["memory_gb"] > 0
    assert "classical" in found["would_run"]["Segmentation"]


def test_export_writes_the_formats_that_are_asked_for(drafted: Path, run: Run, tmp_path: Path) -> None:
    assert run("export", str(drafted), "--format", "text", "--format", "json", "-o", str(tmp_path)).returncode == 0
    assert {f.name for f in tmp_path.iterdir()} == {"report.txt", "report.json"}
    assert (tmp_path / "report.txt").read_text(encoding="utf-8") == (drafted / "report.txt").read_text(encoding="utf-8")


def test_a_phantom_comes_with_its_truth(run: Run, tmp_path: Path) -> None:
    words = ["--seed", "3", "--finding", "nodule:20:left:upper", "--rows", "64", "--step", "5"]
    done = run("phantom", *words, "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert {f.name for f in tmp_path.iterdir()} == {"ct.nii.gz", "truth.seg.nrrd", "case.json", "report.txt"}
    case = json.loads((tmp_path / "case.json").read_text(encoding="utf-8"))
    assert len(case["lesions"]) == 1
    assert case["truth"]


def test_a_random_phantom_is_drawn_and_shown(run: Run, tmp_path: Path) -> None:
    done = run("phantom", "--seed", "5", "--random", "--pictures", "--rows", "64", "--step", "5", "-o", str(tmp_path))
    assert done.returncode == 0, done.stderr
    lesions = json.loads((tmp_path / "case.json").read_text(encoding="utf-8"))["lesions"]
    assert lesions and len(list((tmp_path / "pictures").glob("*.png"))) == len(lesions)
    assert "Lungs: " in (tmp_path / "report.txt").read_text(encoding="utf-8")
