"""The gathered stubs are those of the installed tensorflow-serving-api, and stand without TensorFlow."""

import hashlib
import importlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from serving.tools import gather_stubs
from tests.tiny_models import PIPELINE_PYTHON, ROOT

MODULES = [
    path.relative_to(gather_stubs.TARGET).with_suffix("").as_posix().replace("/", ".")
    for path in sorted(gather_stubs.TARGET.rglob("*_pb2.py"))
]
VERSION = "from importlib.metadata import version; print(version('tensorflow-serving-api'))"
OFFICIAL = """
import hashlib, importlib, json, sys, sysconfig, types
for name in ("tensorflow", "tensorflow_serving"):  # the packages without what their __init__ would import
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [f"{sysconfig.get_path('purelib')}/{name}"]
modules = [importlib.import_module(name) for name in json.load(sys.stdin)]
print(json.dumps([hashlib.sha256(module.DESCRIPTOR.serialized_pb).hexdigest() for module in modules]))
"""


@pytest.fixture(scope="module")
def same_version() -> None:
    """The stubs are of the older stack: its protobuf refuses what newer compilers write, and all take its own."""
    if not PIPELINE_PYTHON.exists():
        pytest.skip("needs the pipeline's environment (TensorFlow)")
    run = subprocess.run([str(PIPELINE_PYTHON), "-c", VERSION], capture_output=True, text=True, check=True)
    installed = f"tensorflow-serving-api {run.stdout.strip()}"
    if installed not in (gather_stubs.TARGET / "NOTICE").read_text():
        pytest.skip(f"the stubs were gathered on the older stack; installed is {installed}")


@pytest.mark.usefixtures("same_version")
def test_descriptors_are_the_official_ones() -> None:
    """Message by message the gathered code speaks the protocol of the official package."""
    run = subprocess.run(
        [str(PIPELINE_PYTHON), "-c", OFFICIAL],
        input=json.dumps(MODULES),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    ours = [importlib.import_module(f"serving.stubs.{name}").DESCRIPTOR.serialized_pb for name in MODULES]
    assert len(MODULES) > 30
    assert [hashlib.sha256(one).hexdigest() for one in ours] == json.loads(run.stdout.splitlines()[-1])


@pytest.mark.usefixtures("same_version")
def test_nothing_is_stale() -> None:
    """Gathered anew from the installed packages, every file is the same, service clients and notice included."""
    command = [str(PIPELINE_PYTHON), "-m", "serving.tools.gather_stubs", "--check"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.stdout == "up to date\n"


def test_every_module_imports_alone() -> None:
    """No gathered file needs one that was not gathered, and none is TensorFlow."""
    imports = "; ".join(f"import serving.stubs.{name}" for name in MODULES)
    code = f"import sys; {imports}; print('tensorflow' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert run.stdout == "False\n"


def test_gathers_from_wheels(tmp_path: Path) -> None:
    """A container build has wheels, not installed packages; a file that is in none of them is named."""
    wheel = tmp_path / "api.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tensorflow_serving_api-9.9.dist-info/METADATA", "")
        for name in gather_stubs.SERVICES:
            archive.writestr(name, "import grpc\nfrom tensorflow_serving.apis import one_pb2 as one\n")
        archive.writestr("tensorflow_serving/apis/one_pb2.py", "import google\n")
    files = gather_stubs.gather([zipfile.Path(wheel)])
    assert (
        files[gather_stubs.SERVICES[0]]
        == "import grpc\nfrom serving.stubs.tensorflow_serving.apis import one_pb2 as one\n"
    )
    assert "tensorflow-serving-api 9.9" in files["NOTICE"]
    gather_stubs.write(files, tmp_path / "stubs")
    assert gather_stubs.stale(files, tmp_path / "stubs") == []
    (tmp_path / "stubs" / "extra.py").write_text("")
    assert gather_stubs.stale(files, tmp_path / "stubs") == ["extra.py"]
    with pytest.raises(FileNotFoundError, match=r"_service_pb2_grpc\.py is in none of"):
        gather_stubs.gather([zipfile.Path(wheel) / "nothing/"])
