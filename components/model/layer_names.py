"""What the layers of a backbone are called, without building it: the command line asks, and imports nothing heavy."""

from typing import NamedTuple


class Stage(NamedTuple):
    """Blocks of one shape of EfficientNet-Lite0."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    filters: int


LITE0_STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
SMALL_CNN_CONVOLUTIONS = 4


def layer_names(backbone: str) -> list[str] | None:
    """Names of the layers, from the picture on; None where only Keras knows them."""
    return {"small_cnn": _small_cnn, "efficientnet_lite0": _lite0}.get(backbone, lambda: None)()


def _small_cnn() -> list[str]:
    parts = ("conv", "norm", "relu")
    return ["image", "scaling", *(f"block{i}_{part}" for i in range(SMALL_CNN_CONVOLUTIONS) for part in parts), "pool"]


def _lite0() -> list[str]:
    found = ["image", "scaling", "stem_conv", "stem_relu"]
    blocks = [(stage, repeat) for stage in LITE0_STAGES for repeat in range(stage.blocks)]
    for index, (stage, repeat) in enumerate(blocks):
        expand = ("expand_conv", "expand_relu") if stage.expansion > 1 else ()
        parts = (*expand, "depthwise_conv", "depthwise_relu", "project_conv", *(("add",) if repeat else ()))
        found += [f"block{index}_{part}" for part in parts]
    return [*found, "top_conv", "top_relu", "top_pool"]
