"""One corpus through all four doors: catalogue, merger, command line and model see the same pixels."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.client.client import ClassifierClient
from serving.client.folder import classify_directory
from tests import tiny_models
from tests.pictures.corpus import SIZE, taken
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not tiny_models.PIPELINE_PYTHON.exists(), reason="needs the pipeline's environment (TensorFlow)"
    ),
]
TAKEN = {name: case for name, case in taken().items() if case.shown.shape[1::-1] == SIZE}
IDS = {name: f"{number:03}" for number, name in enumerate(TAKEN)}
TRAINED_AND_SERVED = """
import json, sys
from pathlib import Path
from typing import Any
import numpy as np
from components.catalogue.reading.pictures import check_pictures, load_picture
from components.catalogue.reading.rows import parse_rows
from components.catalogue.reading.source import open_catalogue
from components.model.preprocessing import decode_image

directory = Path(sys.argv[1])
catalogue = open_catalogue(directory)
checked = check_pictures(catalogue, parse_rows(catalogue.styles()))
assert not checked.rejected, checked.rejected
seen = {}
for row in checked.taken:
    seen[f"trained {row.id}"] = decode_image(load_picture(catalogue, row.id).content, 80, 60).numpy()
for sent in (directory / "sent").iterdir():
    seen[f"served {sent.name}"] = decode_image(sent.read_bytes(), 80, 60).numpy()
np.savez(directory / "seen.npz", **seen)
"""


async def test_all_doors_show_the_same_pixels(running: MergerProcess, fake: FakeModelServer, tmp_path: Path) -> None:
    """What a model is taught with and what it is asked with is one picture, whoever hands it in and in which form."""
    for model in fake.models.values():
        model.card = sees_all  # a model as large as the pictures: none is reduced on its way
    fake.serve_versions(2)
    await running.ready(release=2)
    sent = tmp_path / "sent"
    sent.mkdir()
    for name, case in TAKEN.items():
        fake.models["category"].images.clear()
        reply = await running.http.post("/v1/classify", content=case.data)
        assert reply.status_code == 200, (name, reply.text)
        (sent / f"{IDS[name]}").write_bytes(fake.models["category"].images[0])
    write_catalogue(tmp_path)
    run = await asyncio.to_thread(
        subprocess.run,
        [str(tiny_models.PIPELINE_PYTHON), "-c", TRAINED_AND_SERVED, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tiny_models.ROOT,
    )
    assert run.returncode == 0, run.stderr
    seen = np.load(tmp_path / "seen.npz")
    for name, case in TAKEN.items():
        trained, served = (seen[f"{door} {IDS[name]}"] for door in ("trained", "served"))
        np.testing.assert_array_equal(trained, served, name)
        assert np.abs(trained - case.shown).mean() <= case.tolerance, name


async def test_the_command_line_sends_what_the_merger_is_sent(
    running: MergerProcess, fake: FakeModelServer, tmp_path: Path
) -> None:
    """A folder of the corpus under names that say nothing true is answered file by file, none refused."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, case in TAKEN.items():
        (pictures / f"{IDS[name]}.jpg").write_bytes(case.data)
    out = tmp_path / "answers.jsonl"

    def classify() -> None:
        with ClassifierClient(f"127.0.0.1:{running.grpc_port}") as client:
            classify_directory(client, pictures, out)

    await asyncio.to_thread(classify)
    answers = [json.loads(line) for line in out.read_text().splitlines()]
    assert [one["file"] for one in answers if one["error"]] == []
    assert len(answers) == len(TAKEN)


def sees_all(card: dict[str, Any]) -> None:
    """Makes a model that sees pictures of the corpus's size."""
    card["image"] = {"height": SIZE[1], "width": SIZE[0]}


def write_catalogue(directory: Path) -> None:
    """The corpus as a catalogue, every picture under the name of a JPEG."""
    (directory / "images").mkdir()
    for name, case in TAKEN.items():
        (directory / "images" / f"{IDS[name]}.jpg").write_bytes(case.data)
    rows = "".join(f"{one},Shirts,Topwear,Apparel\n" for one in IDS.values())
    (directory / "styles.csv").write_text(f"id,articleType,subCategory,masterCategory\n{rows}")
