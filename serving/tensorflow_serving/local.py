"""The committed configuration with local paths, for a model server that runs outside the container.

tensorflow_model_server can override no base path, so the model config is written anew with only its paths changed::

    python -m serving.model_server $(python -m serving.tensorflow_serving.local build/lookbook/release build/serve)
"""

import argparse
from pathlib import Path
from typing import Final

CONFIG_DIR: Final = Path(__file__).parent
CONTAINER_CONFIG_DIR: Final = "/etc/tensorflow_serving/"
CONTAINER_MODELS_DIR: Final = "/models/"
MODELS_CONFIG: Final = "models.config"


def read_flags() -> dict[str, str]:
    """The flags of ``start.flags``, name → value, in the order of the file."""
    lines = (CONFIG_DIR / "start.flags").read_text().splitlines()
    pairs = (line.removeprefix("--").split("=", 1) for line in lines if line.startswith("--"))
    return {pair[0]: pair[1] for pair in pairs}


def write_models_config(models_root: Path, out: Path) -> Path:
    """Write ``models.config`` into the folder ``out`` with the base paths under ``models_root``; returns its path."""
    text = (CONFIG_DIR / MODELS_CONFIG).read_text()
    out.mkdir(parents=True, exist_ok=True)
    path = out.resolve() / MODELS_CONFIG
    path.write_text(text.replace(f'base_path: "{CONTAINER_MODELS_DIR}', f'base_path: "{models_root.resolve()}/'))
    return path


def local_flags(models_root: Path, out: Path, **overrides: object) -> list[str]:
    """The start flags for this machine; writes the model config that they name.

    Args:
        models_root: folder that holds ``article_type/`` and ``category/``, e.g. ``build/lookbook/release``.
        out: folder for the written model config.
        overrides: flags to change or add, e.g. ``port=9500``.
    """
    flags = {name: value.replace(CONTAINER_CONFIG_DIR, f"{CONFIG_DIR}/") for name, value in read_flags().items()}
    flags["model_config_file"] = str(write_models_config(models_root, out))
    flags |= {name: str(value) for name, value in overrides.items()}
    return [f"--{name}={value}" for name, value in flags.items()]


def main() -> None:
    """Print the start flags, one a line, for ``$(…)`` in a shell."""
    parser = argparse.ArgumentParser("serving.tensorflow_serving.local", description=main.__doc__)
    parser.add_argument("models_root", type=Path, help="folder that holds the models' base paths")
    parser.add_argument("out", type=Path, help="folder for the model config with local paths")
    parser.add_argument("changes", nargs="*", metavar="FLAG=VALUE", help="flags to change or add, e.g. port=9500")
    arguments = parser.parse_args()
    changes = dict(change.split("=", 1) for change in arguments.changes if "=" in change)
    if len(changes) != len(arguments.changes):
        parser.error(f"each change must be of the form FLAG=VALUE, got {' '.join(arguments.changes)}")
    print("\n".join(local_flags(arguments.models_root, arguments.out, **changes)))


if __name__ == "__main__":
    main()
