"""What is installed is whole: a wheel carries every file that the code reads."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_OUT = ("serving/web/", "serving/tools/", "serving/stubs/tensorflow")
"""The page is built apart and joined as ``serving/web/dist``; the rest are tools and Python alone."""


def test_a_wheel_carries_templates_schemas_and_configuration(tmp_path: Path) -> None:
    """Files beside the code that are no Python reach the place where it is installed."""
    subprocess.run(
        [
            sys.executable,
            "setup.py",
            "-q",
            "egg_info",
            "--egg-base",
            tmp_path,
            "build_py",
            "--build-lib",
            tmp_path / "lib",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    wanted = {
        path.relative_to(ROOT).as_posix()
        for room in ("components", "pipeline", "schema", "serving")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".pyi") and "__pycache__" not in path.parts
    }
    wanted = {path for path in wanted if not path.startswith(LEFT_OUT)}
    assert "components/catalogue/report/templates/page.html" in wanted
    assert sorted(path for path in wanted if not (tmp_path / "lib" / path).is_file()) == []
