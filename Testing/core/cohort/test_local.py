"""What each process of this machine may use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from RegionReportLib.cli.main import main
from RegionReportLib.cohort.local import LocalEngine
from RegionReportLib.cores import usable_cores

SETS_UP = """
import os
from multiprocessing import Pipe
from RegionReportLib.cohort.local import LocalEngine
from RegionReportLib.cohort.local_process import begin
far, near = Pipe()  # closed, the far end would end the process
begin(3, far, LocalEngine(2, gpus=2, cores=2).share(2))
import SimpleITK, torch
from RegionReportLib.cores import threads
print(torch.get_num_threads(), SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads(), threads())
print(os.environ["CUDA_VISIBLE_DEVICES"])
"""


@pytest.mark.parametrize(("cores", "processes", "threads"), [(8, 2, 4), (7, 2, 3), (2, 4, 1)])
def test_processes_share_the_cores(cores: int, processes: int, threads: int) -> None:
    share = LocalEngine(processes, limit_s=60.0, gpus=1, cores=cores).share(processes)
    assert (share.threads, share.gpus, share.limit_s) == (threads, 1, 60.0)


def test_without_a_number_all_that_may_be_used_are_shared() -> None:
    assert LocalEngine(1).share(1).threads == usable_cores() <= (os.cpu_count() or 1)


def test_the_libraries_of_a_process_take_its_threads_and_it_sees_one_gpu() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    run = [sys.executable, "-c", SETS_UP]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1", "1", "1"]


def test_ray_hands_out_cores_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "list.csv").write_text("study,path\na,a.nii.gz\n")
    words = ["batch", str(tmp_path / "list.csv"), "-o", str(tmp_path / "out"), "--engine", "ray", "--cores", "2"]
    assert main(words) == 3
    assert "--cores is for the local engine" in capsys.readouterr().err


def test_no_cores_are_refused() -> None:
    with pytest.raises(ValueError, match="cores must be at least 1, got 0"):
        LocalEngine(1, cores=0)
