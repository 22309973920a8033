"""Stands in for TotalSegmentator 2.x where it is not installed: same command line, progress, files and failures.

Strict: options that the real program does not have are errors. What it "finds" is read from `truth.nii.gz` beside its
weights. The environment variable ACT makes it fail as the real one does.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np

NAMES = {
    "total": {
        10: "lung_upper_lobe_left",
        12: "lung_upper_lobe_right",
        16: "trachea",
        51: "heart",
        86: "autochthon_left",
    },
    "lung_nodules": {1: "lung", 2: "lung_nodules"},
    "trunk_cavities": {1: "abdominal_cavity", 2: "thoracic_cavity", 3: "pericardium", 4: "mediastinum"},
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-i", dest="input", type=Path, required=True)
    parser.add_argument("-o", dest="output", type=Path, required=True)
    parser.add_argument("-ml", "--ml", action="store_true")
    parser.add_argument("-f", "--fast", action="store_true")
    parser.add_argument("-ta", "--task", choices=sorted(NAMES))
    parser.add_argument("-d", "--device", default="gpu")
    arguments = parser.parse_args()
    settings = json.loads((Path(os.environ["TOTALSEG_HOME_DIR"]) / "config.json").read_text())
    assert settings["send_usage_stats"] is False, "statistics would be sent"
    assert arguments.ml, "single files instead of a label map"
    act = os.environ.get("ACT", "")
    if act == "memory":
        sys.exit(
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity ..."
        )
    if act == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if act == "licence":
        sys.exit("This task is not openly available. It requires a license. For non-commercial usage ...")
    parts = 1 if arguments.fast or arguments.task != "total" else 5
    for number in range(1, parts + 1):
        if parts > 1:
            print(f"Predicting part {number} of {parts} ...")
        for percent in (0, 50, 100):
            print(f"\r{percent:3d}%|#####     | {percent // 10}/10 [00:01<00:01,  9.63it/s]", end="", file=sys.stderr)
    if act == "hang":
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        print("grandchild", grandchild.pid, flush=True)
        time.sleep(600)
    if act == "nothing":
        return
    truth = nibabel.load(Path(os.environ["TOTALSEG_WEIGHTS_PATH"]) / f"{arguments.task}.nii.gz")
    scan = nibabel.load(arguments.input)
    assert np.allclose(scan.affine, truth.affine, atol=1e-4), "the scan came in another place"
    labels = "".join(f'<Label Key="{k}"><![CDATA[{name}]]></Label>' for k, name in NAMES[arguments.task].items())
    truth.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, f"<LabelTable>{labels}</LabelTable>".encode()))
    nibabel.save(truth, arguments.output)


if __name__ == "__main__":
    main()
