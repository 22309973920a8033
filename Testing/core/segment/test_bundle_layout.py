"""What a bundle's folder says is read key by key, and a key that is not supported is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from RegionReportLib.errors import InputRefused
from RegionReportLib.segment.bundle_layout import Part, Windows, has_variants, read_bundle

MakeBundle = Callable[..., Path]
STEPS = "preprocessing"


def steps(*more: dict[str, Any]) -> dict[str, Any]:
    return {"_target_": "Compose", "transforms": list(more)}


def test_a_bundle_is_read_as_its_files_say(make_bundle: MakeBundle) -> None:
    folder = make_bundle(weights=())
    bundle = read_bundle(folder)
    assert bundle.title == "Body 0.2.5"
    assert bundle.channels[:3] == ("background", "aorta", "lung_upper_lobe_right")
    assert bundle.network.name == "SegResNet"
    assert bundle.network.arguments["blocks_down"] == [1, 1]
    scaled = {"a_min": -1000, "a_max": 1000, "b_min": -1.0, "b_max": 1.0}
    assert bundle.transforms == (
        Part("Orientationd", {"axcodes": "RAS"}),
        Part("Spacingd", {"pixdim": [2.0, 3.0, 4.0], "mode": "bilinear"}),
        Part("ScaleIntensityRanged", scaled),
    )
    assert bundle.windows == Windows((16, 16, 16), (0.25, 0.25, 0.25), "gaussian", padding_mode="replicate")
    assert bundle.weights == folder / "models/model.pt"


def test_the_low_resolution_has_other_voxels_and_weights(make_bundle: MakeBundle) -> None:
    folder = make_bundle(weights=())
    low = read_bundle(folder, fine=False)
    assert low.transforms[1].arguments["pixdim"] == [6.0, 6.0, 6.0]
    assert low.weights == folder / "models/model_lowres.pt"
    assert has_variants(folder)


def test_without_a_loader_the_usual_weights_are_taken(make_bundle: MakeBundle) -> None:
    folder = make_bundle(weights=(), displayable_configs={"sw_overlap": 0.5}, pixdim=[1, 1, 1], checkpointloader=None)
    assert read_bundle(folder).weights == folder / "models/model.pt"
    assert not has_variants(folder)


def test_long_names_and_steps_that_are_switched_off_are_understood(make_bundle: MakeBundle) -> None:
    wanted = {"_target_": "monai.transforms.NormalizeIntensityd", "keys": "@image_key", "nonzero": True}
    off = {"_target_": "RandFlipd", "keys": "@image_key", "_disabled_": True}
    net = {"_target_": "monai.networks.nets.UNet", "spatial_dims": 3}
    bundle = read_bundle(make_bundle(weights=(), preprocessing=steps(off, wanted), network_def=net))
    assert bundle.transforms == (Part("NormalizeIntensityd", {"nonzero": True}),)
    assert bundle.network == Part("UNet", {"spatial_dims": 3})


WINDOW = {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16]}
REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"network_def": "$monai.networks.nets.vista3d132(in_channels=1)"},
        "network_def is VISTA3D, which has to be asked",
    ),
    ({"network_def": "$scripts.network()"}, "network_def is .*, expected a network by its name"),
    (
        {"network_def": {"_target_": "scripts.net.Own"}},
        "network_def#_target_ is 'scripts.net.Own', supported are SegRes",
    ),
    ({"network_def": {"_target_": "os.system", "command": "true"}}, "network_def#_target_ is 'os.system'"),
    ({"network_def": {"_target_": "UNet", "act": "$open('x')"}}, "network_def#act is the Python expression"),
    ({"network_def": {"_target_": "UNet", "_mode_": "callable"}}, "network_def#_mode_ is not supported"),
    (
        {STEPS: steps({"_target_": "Lambdad", "func": "$print"})},
        "transforms#0#_target_ is 'Lambdad', supported are Orient",
    ),
    ({STEPS: steps({"_target_": "Spacingd", "pixdim": "$f()"})}, "transforms#0#pixdim is the Python expression"),
    ({STEPS: steps("Orientationd")}, "preprocessing#transforms#0 is no transform"),  # type: ignore[arg-type]
    (
        {"inferer": {"_target_": "scripts.inferer.Own"}},
        "inferer#_target_ is 'scripts.inferer.Own', supported is Sliding",
    ),
    ({"inferer": {**WINDOW, "process_fn": "x"}}, "inferer#process_fn is not supported"),
    ({"inferer": {**WINDOW, "roi_size": [16, 16]}}, "inferer cannot be understood: ValueError: expected one value or"),
    ({"inferer": {**WINDOW, "roi_size": 100_000}}, "inferer asks for a window that is not supported"),
    ({"inferer": {**WINDOW, "overlap": 1.0}}, "inferer asks for a window that is not supported"),
    ({"postprocessing": steps({"_target_": "Activationsd", "sigmoid": True})}, "lets structures overlap"),
    ({"channel_def": {"0": "background"}}, "channel_def names 1 channels, expected 2 to 1024"),
    ({"channel_def": {"0": "background", "2": "aorta"}}, "channel_def does not name each output channel from 0 on"),
    ({"channel_def": {"0": "liver", "1": "aorta"}}, "channel_def#0 is 'liver', expected the background"),
    ({"checkpointloader": {"load_path": "../other/model.pt"}}, "checkpointloader#load_path lies outside the bundle"),
]


@pytest.mark.parametrize(("changes", "said"), REFUSED, ids=[said[:40] for _, said in REFUSED])
def test_what_is_not_supported_is_refused_by_its_key(
    changes: dict[str, Any], said: str, make_bundle: MakeBundle
) -> None:
    with pytest.raises(InputRefused, match=said):
        read_bundle(make_bundle(weights=(), **changes))


def test_a_bundle_for_other_images_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle(weights=())
    path = folder / "configs/metadata.json"
    table = json.loads(path.read_text())
    table["network_data_format"]["inputs"]["image"]["modality"] = "MR"
    path.write_text(json.dumps(table))
    with pytest.raises(InputRefused, match=r"metadata\.json: .*#modality is 'MR', expected CT"):
        read_bundle(folder)


def test_a_folder_of_another_layout_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle(weights=())
    (folder / "configs/inference.json").rename(folder / "configs/inference.yaml")
    with pytest.raises(InputRefused, match=r"it has no configs/inference\.json; its inference\.yaml is not read"):
        read_bundle(folder)
    (folder / "configs/metadata.json").write_text("[1, 2]")
    with pytest.raises(InputRefused, match=r"configs/metadata\.json cannot be read: not a table"):
        read_bundle(folder)
    (folder / "configs/metadata.json").unlink()
    with pytest.raises(InputRefused, match=r"no configs/metadata\.json; expected the layout of the model zoo"):
        read_bundle(folder)
