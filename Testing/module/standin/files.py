"""Stands in for `slicer.app.coreIOManager()`: scenes, volumes, segmentations and texts to files and back."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

_KINDS = {
    ".mrb": "SceneFile",
    ".mrml": "SceneFile",
    ".seg.nrrd": "SegmentationFile",
    ".nrrd": "VolumeFile",
    ".nii.gz": "VolumeFile",
    ".nii": "VolumeFile",
}


class IOManager:
    """`qSlicerCoreIOManager`, as far as `slicer.util` calls it."""

    def __init__(self, host: Any, folder: Path) -> None:
        self._host, self._folder = host, folder
        self._opened = 0

    def fileType(self, filename: str) -> str:
        return next(kind for ending, kind in _KINDS.items() if str(filename).endswith(ending))

    def fileWriterFileType(self, node: Any, filename: str = "") -> str:
        return "SegmentationFile" if node.IsA("vtkMRMLSegmentationNode") else "VolumeFile"

    def loadNodes(self, kind: str, properties: dict[str, Any], loaded: Any, messages: Any = None) -> bool:
        path = Path(properties["fileName"])
        if not path.is_file():
            return False
        if kind == "SceneFile":
            return self._load_scene(path, bool(properties.get("clear", False)))
        if kind == "SegmentationFile":
            found = [self._host.io_manager.load_segmentation(path)]
        else:
            found = self._host.io_manager.load_volumes([str(path)])
        for node in found:
            loaded.AddItem(node)
        return bool(found)

    def saveNodes(self, kind: str, properties: dict[str, Any], messages: Any = None) -> bool:
        path = Path(properties["fileName"])
        scene = self._host.scene
        if kind == "SceneFile":
            if path.suffix == ".mrb":
                return bool(scene.WriteToMRB(str(path)))
            path.mkdir(parents=True, exist_ok=True)
            return bool(scene.SaveSceneToSlicerDataBundleDirectory(str(path)))
        node = scene.GetNodeByID(properties["nodeID"])
        storage = node.CreateDefaultStorageNode()
        storage.SetFileName(str(path))
        return bool(storage.WriteData(node))

    def _load_scene(self, path: Path, clear: bool) -> bool:
        scene = self._host.scene
        if path.suffix == ".mrb":
            # Unpacked into a folder that stays, because Slicer's scene reads some files later.
            self._opened += 1
            folder = self._folder / f"opened{self._opened}"
            with zipfile.ZipFile(path) as bundle:
                bundle.extractall(folder)
            path = next(folder.rglob("*.mrml"))
        scene.SetURL(str(path))
        return bool(scene.Connect() if clear else scene.Import())
