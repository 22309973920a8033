"""What 3D Slicer's build system and its Extensions Index read of this repository is complete, and says one thing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from list_extension_files import FOLDERS, RESOURCES, SCRIPTS, differences, in_tree, listed, with_lists
from PIL import Image

from floors import REPOSITORY

NAME = "RegionReport"
RAW = "https://raw.githubusercontent.com/RegionReport/SlicerRegionReport/main/"
CMAKE = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
ENTRY = REPOSITORY / f"{NAME}.json"
# Slicer: Schemas/slicer-extension-catalog-entry-schema-v1.0.1.json
REQUIRED = {"$schema": str, "category": str, "scm_url": str}
OPTIONAL = {"scm_revision": str, "scm_type": str, "build_dependencies": list, "build_subdirectory": str}
OPTIONAL |= {"enabled": bool, "tier": int}
# ExtensionsIndex: scripts/check_description_files.py, those of its accepted categories that could ever fit.
CATEGORIES = {
    "Analysis",
    "DICOM",
    "Examples",
    "Informatics",
    "Pipelines",
    "Quantification",
    "Segmentation",
    "Utilities",
}


def set_in_cmake(variable: str) -> str:
    """Return a value as the index reads it: one quoted string in one `set`, on one line."""
    found = re.findall(rf'^set\(EXTENSION_{variable} "([^"\n]+)"\)', CMAKE, re.MULTILINE)
    assert len(found) == 1, f"EXTENSION_{variable} is set {len(found)} times in one quoted line"
    return str(found[0])


def s4ext() -> dict[str, str]:
    """Return the old description: the first word of a line is the key, the rest its value."""
    lines = (REPOSITORY / "extension.s4ext").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition(" ")[::2] for line in lines if line.strip() and not line.startswith("#")]
    assert len({key for key, _ in pairs}) == len(pairs), "a key is given twice"
    return dict(pairs)


def entry_problems(entry: dict[str, Any], name: str = NAME) -> list[str]:
    """Return what the index would not accept of a catalogue entry."""
    problems = [f"{key} is missing" for key in REQUIRED if key not in entry]
    for key, value in entry.items():
        kind = (REQUIRED | OPTIONAL).get(key)
        if kind is None:
            problems.append(f"{key} is not allowed")
        elif type(value) is not kind:
            problems.append(f"{key} is no {kind.__name__}")
    tier, url = entry.get("tier", 1), urlsplit(str(entry.get("scm_url", "")))
    checks = {
        "tier is not within 1..5": isinstance(tier, int) and 1 <= tier <= 5,
        "category is unknown": entry.get("category") in CATEGORIES,
        "scm_url is no https address": url.scheme == "https" and bool(url.netloc),
        "the repository's name does not start with Slicer": url.path.rpartition("/")[2].startswith("Slicer"),
        "the extension's name starts with Slicer": not name.lower().startswith("slicer"),
    }
    return problems + [problem for problem, fine in checks.items() if not fine]


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_file_is_listed_once_and_each_listed_file_is_there(folder: str) -> None:
    problems = differences(REPOSITORY / folder)
    assert not problems, "\n".join([*problems, "cure: python Testing/house/list_extension_files.py --write"])


def test_the_files_that_slicer_finds_by_name_are_listed() -> None:
    module = listed((REPOSITORY / NAME / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert f"{NAME}.py" in module[SCRIPTS]
    assert {f"Resources/Icons/{NAME}.png", f"Resources/UI/{NAME}.ui"} <= set(module[RESOURCES])
    # Slicer takes every other Python file at the top of a module folder for a module.
    assert [path for path in module[SCRIPTS] if "/" not in path] == [f"{NAME}.py"]


def test_the_lister_sees_what_is_missing_superfluous_or_double(tmp_path: Path) -> None:
    for path in ("a.py", "b/c.py", "b/d.json", "b/__pycache__/c.pyc", ".hidden/e.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    lists = tmp_path / "CMakeLists.txt"
    lists.write_text(f"# head\nset({SCRIPTS}\n  a.py\n  a.py\n  gone.py\n  )\nset({RESOURCES}\n  )\n# tail\n")
    assert sorted(p.partition("/")[2] for p in differences(tmp_path)) == [
        "a.py is listed twice",
        "b/c.py is not listed",
        "b/d.json is not listed",
        "gone.py is listed but not there",
    ]
    lists.write_text(with_lists(lists.read_text(), in_tree(tmp_path)))
    assert not differences(tmp_path)
    expected = f"# head\nset({SCRIPTS}\n  a.py\n  b/c.py\n  )\nset({RESOURCES}\n  b/d.json\n  )\n# tail\n"
    assert lists.read_text() == expected


def test_the_catalogue_entry_is_one_that_the_index_accepts() -> None:
    assert b"\r" not in ENTRY.read_bytes()
    assert not entry_problems(json.loads(ENTRY.read_bytes()))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"scm_url": None}, "scm_url is no str"),
        ({"license": "Apache-2.0"}, "license is not allowed"),
        ({"category": "Radiology"}, "category is unknown"),
        ({"tier": 6}, "tier is not within 1..5"),
        ({"tier": True}, "tier is no int"),
        ({"scm_url": "http://github.com/a/SlicerB"}, "scm_url is no https address"),
        ({"scm_url": "https://github.com/a/B"}, "the repository's name does not start with Slicer"),
    ],
)
def test_a_wrong_catalogue_entry_is_seen(change: dict[str, Any], problem: str) -> None:
    assert problem in entry_problems(json.loads(ENTRY.read_bytes()) | change)


def test_an_incomplete_entry_or_a_name_of_slicers_own_is_seen() -> None:
    assert {"$schema is missing", "category is missing", "scm_url is missing"} <= set(entry_problems({}))
    assert "the extension's name starts with Slicer" in entry_problems({}, "SlicerRegionReport")


def test_the_project_is_named_as_the_catalogue_entry() -> None:
    names = re.findall(r"project\s*\(\s*([^\s\)]+)", CMAKE)
    assert names == [ENTRY.stem]


def test_the_description_is_for_anyone_and_reaches_the_reader_whole() -> None:
    description = set_in_cmake("DESCRIPTION")
    assert ";" not in description, "CMake would cut the description off at a semicolon"
    sentences = re.findall(r"[^.]+\.", description)
    assert 2 <= len(sentences) <= 10
    assert max(len(sentence.split()) for sentence in sentences) <= 25
    assert "chest CT" in description
    assert "not for patient care" in description


def test_the_old_description_says_the_same() -> None:
    old, entry = s4ext(), json.loads(ENTRY.read_bytes())
    for key in ("homepage", "contributors", "category", "iconurl", "description", "screenshoturls", "depends"):
        assert old[key] == set_in_cmake(key.upper()), key
    assert old["scm"] == "git"
    assert (old["scmurl"], old["scmrevision"]) == (entry["scm_url"], entry["scm_revision"])
    assert (old["category"], old["build_subdirectory"]) == (entry["category"], entry["build_subdirectory"])
    assert (old["tier"], old["enabled"]) == (str(entry["tier"]), "1")
    assert (old["depends"] == "NA") == (not entry["build_dependencies"])
    assert old["homepage"] == entry["scm_url"]


def test_pictures_are_addressed_where_they_lie() -> None:
    icon, *shots = (set_in_cmake("ICONURL"), *set_in_cmake("SCREENSHOTURLS").split())
    assert shots
    for address in (icon, *shots):
        assert address.startswith(RAW)
        assert address.endswith(".png")
    assert (REPOSITORY / icon.removeprefix(RAW)).is_file()
    missing = [shot for shot in shots if not (REPOSITORY / shot.removeprefix(RAW)).is_file()]
    if not (REPOSITORY / "Resources" / "Screenshots").is_dir():
        pytest.skip("no screenshot has been made yet")
    assert not missing


def test_the_icon_is_small_and_the_same_in_both_places() -> None:
    icons = (REPOSITORY / NAME / "Resources/Icons/RegionReport.png", REPOSITORY / "Resources/Icons/RegionReport.png")
    with Image.open(icons[0]) as picture:
        assert (picture.format, picture.size, picture.mode) == ("PNG", (128, 128), "RGBA")
        assert len(picture.convert("RGB").getcolors(128 * 128) or ()) > 6, "the icon is blank"
    assert icons[0].stat().st_size < 20_000
    assert icons[0].read_bytes() == icons[1].read_bytes()


def configured(build: Path) -> subprocess.CompletedProcess[str]:
    """Run CMake on the repository with a Slicer that is none; skips where CMake cannot run."""
    if not all(shutil.which(tool) for tool in ("cmake", "cc", "c++", "make")):
        pytest.skip("CMake, a C++ compiler or make is missing")
    found = re.search(r"(\d+)\.(\d+)", subprocess.check_output(["cmake", "--version"], text=True))
    wanted = re.search(r"VERSION (\d+)\.(\d+)", CMAKE)
    assert found
    assert wanted
    if tuple(map(int, found.groups())) < tuple(map(int, wanted.groups())):
        pytest.skip(f"CMake {found[0]} is older than needed")
    fake = REPOSITORY / "Testing" / "house" / "fake_slicer"
    command = ["cmake", "-S", str(REPOSITORY), "-B", str(build), f"-DSlicer_DIR={fake}", "-Wno-dev"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_extension_configures_and_installs_what_runs(tmp_path: Path) -> None:
    build, prefix = tmp_path / "build", tmp_path / "installed"
    done = configured(build)
    assert done.returncode == 0, done.stderr
    record = (build / "record.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in record if not line.startswith("description")] == [
        "module=RegionReport",
        "test=RegionReport.py",
        "module=RegionReportLib",
        "test=RegionReportInSlicerTest.py",
        "config=RegionReport",
    ]
    assert f"description={set_in_cmake('DESCRIPTION')}" in record
    subprocess.run(["cmake", "--install", str(build), "--prefix", str(prefix)], capture_output=True, check=True)
    modules = prefix / "lib" / "Slicer-5.12" / "qt-scripted-modules"
    installed = {path.relative_to(modules).as_posix() for path in modules.rglob("*") if path.is_file()}
    module, library = (in_tree(REPOSITORY / folder) for folder in FOLDERS)
    wanted = {*module[SCRIPTS], *module[RESOURCES]}
    wanted |= {f"RegionReportLib/{path}" for path in (*library[SCRIPTS], *library[RESOURCES])}
    assert installed == wanted
    assert {"RegionReport.py", "RegionReportSlicer/__init__.py", "RegionReportLib/anatomy/regions.json"} <= installed
    assert imported_from(modules) == "6 regions"


def imported_from(modules: Path) -> str:
    """Import all of the installed library that needs no Slicer, in a fresh Python that sees it first."""
    program = f"""
import importlib, pkgutil, sys
sys.dont_write_bytecode = True
sys.path.insert(0, {str(modules)!r})
import RegionReportLib
assert RegionReportLib.__file__.startswith({str(modules)!r}), RegionReportLib.__file__
for found in pkgutil.walk_packages(RegionReportLib.__path__, "RegionReportLib."):
    if not found.name.startswith(("RegionReportLib.scene", "RegionReportLib.web")) and "__main__" not in found.name:
        importlib.import_module(found.name)
from RegionReportLib.anatomy.regions import REGION_IDS
print(len(REGION_IDS), "regions", end="")
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_tests_for_the_inside_of_slicer_are_registered() -> None:
    folder = REPOSITORY / "Testing" / "in_slicer"
    listed_tests = re.findall(r"SCRIPT (\S+)\)", (folder / "CMakeLists.txt").read_text(encoding="utf-8"))
    assert sorted(listed_tests) == sorted(path.name for path in folder.glob("*.py"))
    # Named so that pytest, which cannot run them, does not collect them.
    assert not [name for name in listed_tests if re.match(r"test_.*\.py|.*_test\.py", name)]
