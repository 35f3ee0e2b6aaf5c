"""One corpus through all four doors: catalogue, merger, command line and model see the same, or refuse the same."""

import asyncio
import json
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.client.client import ClassifierClient
from serving.client.folder import classify_directory
from tests import tiny_models
from tests.pictures.corpus import LARGE, SIZE, taken
from tests.pictures.damaged import by_chance, whole_and_damaged
from tests.pictures.frames import small_frames
from tests.pictures.refused import REFUSED
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not tiny_models.PIPELINE_PYTHON.exists(), reason="needs the pipeline's environment (TensorFlow)"
    ),
]
TAKEN = {name: case for name, case in (taken() | small_frames()).items() if case.shown.shape[1::-1] == SIZE}
DAMAGED = {name: data for name, (data, _, _) in REFUSED.items()} | dict(by_chance(400))
TRAINED_AND_SERVED = """
import json, sys
from pathlib import Path
import numpy as np
from components.catalogue.reading.pictures import check_pictures, load_picture
from components.catalogue.reading.rows import parse_rows
from components.catalogue.reading.source import open_catalogue
from components.model.preprocessing import decode_image

directory = Path(sys.argv[1])
catalogue = open_catalogue(directory)
checked = check_pictures(catalogue, parse_rows(catalogue.styles()))
refused = {one.id: one.detail.partition(" ")[2] for one in checked.rejected}
(directory / "refused.json").write_text(json.dumps(refused))
seen = {}
for row in checked.taken:
    seen[f"trained {row.id}"] = decode_image(load_picture(catalogue, row.id).content, 80, 60).numpy()
for sent in (directory / "sent").iterdir():
    seen[f"served {sent.name}"] = decode_image(sent.read_bytes(), 80, 60).numpy()
np.savez(directory / "seen.npz", **seen)
"""


async def test_all_doors_show_the_same_pixels(running: MergerProcess, fake: FakeModelServer, tmp_path: Path) -> None:
    """What a model is taught with and what it is asked with is one picture, whoever hands it in and in which form."""
    files = {name: case.data for name, case in TAKEN.items()}
    sent, refused = await served(running, fake, files)
    assert not refused
    pixels, not_trained = await trained(files, sent, tmp_path)
    assert not not_trained
    for name, case in TAKEN.items():
        ours, theirs = pixels[name]
        np.testing.assert_array_equal(ours, theirs, name)
        assert np.abs(ours - case.shown).mean() <= case.tolerance, name


async def test_all_doors_refuse_the_same(running: MergerProcess, fake: FakeModelServer, tmp_path: Path) -> None:
    """A damaged file is taken by catalogue and merger with the same pixels, or refused with the same words."""
    sent, refused = await served(running, fake, DAMAGED)
    pixels, not_trained = await trained(DAMAGED, sent, tmp_path)
    assert not_trained == refused
    assert len(pixels) > 50 < len(refused)
    for name, (ours, theirs) in pixels.items():
        # A file that says to be larger now is made smaller on its way, to within a level.
        np.testing.assert_allclose(ours, theirs, atol=1, err_msg=name)


async def test_small_and_large_get_the_same_verdict(
    running: MergerProcess, fake: FakeModelServer, tmp_path: Path
) -> None:
    """A picture is taken, or refused for the same reason, at 60×80, where it goes on as it is, and at 600×800."""
    verdicts = []
    for size in (SIZE, LARGE):
        files = whole_and_damaged(size)
        sent, refused = await served(running, fake, files)
        _, not_trained = await trained(files, sent, tmp_path / str(size[0]))
        assert not_trained == refused
        verdicts.append({name: refused.get(name, "taken").split(":")[0].rstrip("0123456789 %") for name in files})
    assert verdicts[0] == verdicts[1]
    assert {name for name, words in verdicts[0].items() if words == "taken"} == {
        *("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PNG of another window")
    }


async def test_the_command_line_sends_what_the_merger_is_sent(
    running: MergerProcess, fake: FakeModelServer, tmp_path: Path
) -> None:
    """A folder of the corpus under names that say nothing true: the models get the very bytes that REST gives them."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, case in enumerate(TAKEN.values()):
        (pictures / f"{number}.jpg").write_bytes(case.data)
    sent, _ = await served(running, fake, {name: case.data for name, case in TAKEN.items()})
    fake.models["category"].images.clear()
    out = tmp_path / "answers.jsonl"

    def classify() -> None:
        with ClassifierClient(f"127.0.0.1:{running.grpc_port}") as client:
            classify_directory(client, pictures, out)

    await asyncio.to_thread(classify)
    answers = [json.loads(line) for line in out.read_text().splitlines()]
    assert [one["file"] for one in answers if one["error"]] == []
    assert len(answers) == len(TAKEN)
    assert Counter(fake.models["category"].images) == Counter(sent.values())


async def served(
    running: MergerProcess, fake: FakeModelServer, files: Mapping[str, bytes]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """What the models are sent of each file, and of others the words with which the merger refuses them."""
    for model in fake.models.values():
        model.card = sees_all  # a model as large as the pictures: none is reduced on its way
    fake.serve_versions(2)
    await running.ready(release=2)
    sent, refused = {}, {}
    for name, data in files.items():
        fake.models["category"].images.clear()
        reply = await running.http.post("/v1/classify", content=data)
        if reply.status_code == 200:
            (sent[name],) = fake.models["category"].images
        else:
            assert reply.status_code in (400, 413, 415, 422), (name, reply.text)
            refused[name] = reply.json()["detail"].removeprefix("The picture ").removesuffix(".")
    return sent, refused


async def trained(
    files: Mapping[str, bytes], sent: Mapping[str, bytes], directory: Path
) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], dict[str, str]]:
    """What a model sees of each file in training, and of what was sent; and the words with which others are refused."""
    ids = {name: f"{number:03}" for number, name in enumerate(files)}
    for folder in ("images", "sent"):
        (directory / folder).mkdir(parents=True)
    for name, one in ids.items():
        (directory / "images" / f"{one}.jpg").write_bytes(files[name])
        if name in sent:
            (directory / "sent" / one).write_bytes(sent[name])
    rows = "".join(f"{one},Shirts,Topwear,Apparel\n" for one in ids.values())
    (directory / "styles.csv").write_text(f"id,articleType,subCategory,masterCategory\n{rows}")
    run = await asyncio.to_thread(
        subprocess.run,
        [str(tiny_models.PIPELINE_PYTHON), "-c", TRAINED_AND_SERVED, str(directory)],
        capture_output=True,
        text=True,
        cwd=tiny_models.ROOT,
    )
    assert run.returncode == 0, run.stderr
    refused, seen = json.loads((directory / "refused.json").read_text()), np.load(directory / "seen.npz")
    pixels = {
        name: (seen[f"trained {one}"], seen[f"served {one}"]) for name, one in ids.items() if f"trained {one}" in seen
    }
    return pixels, {name: refused[one] for name, one in ids.items() if one in refused}


def sees_all(card: dict[str, Any]) -> None:
    """Makes a model that sees pictures of the corpus's size."""
    card["image"] = {"height": SIZE[1], "width": SIZE[0]}
