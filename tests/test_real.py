"""Real footage through the real commands: TUD-Stadtmitte with YOLOv8n and OSNet x0.25."""

import json
import shutil
from pathlib import Path

import pytest

from tests.checkout import Checkout

pytestmark = pytest.mark.real


@pytest.mark.soak
def test_street_video_to_identities(shared_data: Path, tmp_path: Path) -> None:
    """Thresholds leave room for another processor's last digits; what was measured stands in docs/measured.md."""
    checkout = Checkout(tmp_path)
    for folder, file in (("yolov8n", "yolov8n.pt"), ("osnet_x0_25_msmt17", "osnet_x0_25_msmt17.pth")):
        shutil.copyfile(shared_data / "weights" / file, checkout.folder / "data/weights" / folder / file)
    checkout.run("python -m stages.trust_weights data/weights/yolov8n --what 'a rebuild of the published one'")
    checkout.keep_cameras("promenade")
    checkout.set_params(detect__weights="yolov8n", embed__weights="osnet_x0_25_msmt17", scenes__promenade__seconds=1.6)
    printed = checkout.run(f"python -m stages.add_sequence {shared_data / 'sequences/TUD-Stadtmitte'}")
    assert "the video says 15 frames/s: overruled, 25 counts" in printed
    checkout.repro()
    levels = json.loads((checkout.folder / "reports/sequences.json").read_text())["TUD-Stadtmitte"]
    raw, merged, final = (levels[level] for level in ("raw", "merged", "final"))
    assert raw["HOTA"] > 57
    assert raw["IDF1"] > 75
    assert merged["IDF1"] > raw["IDF1"] + 3
    assert final["HOTA"] > raw["HOTA"] + 8
    assert final["IDF1"] > 90
    assert final["IDSW"] <= 3
    page = checkout.folder / "reports/sequences/TUD-Stadtmitte/index.html"
    assert "artifacts/TUD-Stadtmitte/annotated.mp4" in page.read_text()
    assert checkout.repro() == []
