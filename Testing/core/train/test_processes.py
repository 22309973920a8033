"""Training shared by two processes, and training that is killed: real processes, no stand-ins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("blobs_training.py")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def alone(folder: Path) -> list[str]:
    return [sys.executable, str(SCRIPT), str(folder)]


def losses(folder: Path) -> list[dict[str, Any]]:
    path = folder / "log.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alone")
    subprocess.run(alone(folder), check=True, env=ENVIRONMENT, timeout=300)
    return folder


@pytest.mark.slow
def test_two_processes_follow_the_loss_curve_of_one(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    subprocess.run([*alone(first), "--no-dropout"], check=True, env=ENVIRONMENT, timeout=300)
    # accelerate's own launcher starts one process where there is no GPU; torch's starts as many as it is told.
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run([*launch, str(SCRIPT), str(second), "--no-dropout"], check=True, env=ENVIRONMENT, timeout=300)
    assert json.loads((second / "state" / "training.json").read_text())["processes"] == 2
    one, two = losses(first), losses(second)
    assert [(x["kind"], x["step"]) for x in one] == [(x["kind"], x["step"]) for x in two]
    for a, b in zip(one, two, strict=True):
        for name in ("loss", "contrast", "support", "findings", "places", "writing", "plan", "boxes"):
            assert b[name] == pytest.approx(a[name], rel=2e-3), f"{name} at {a['kind']} step {a['step']}"
    assert one[-1]["writing"] < 0.95 * one[0]["writing"]  # a curve that stands still would agree with any


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_losses(whole: Path, tmp_path: Path) -> None:
    running = subprocess.Popen(alone(tmp_path), env=ENVIRONMENT)
    while not any(x["step"] >= 5 for x in losses(tmp_path)):
        assert running.poll() is None, "the training ended before it could be killed"
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (tmp_path / "model").exists()
    # Cases that come from worker processes are the same cases.
    subprocess.run([*alone(tmp_path), "--workers", "2"], check=True, env=ENVIRONMENT, timeout=300)
    kept, again = ([{k: v for k, v in x.items() if k != "seconds"} for x in losses(f)] for f in (whole, tmp_path))
    assert again == kept
