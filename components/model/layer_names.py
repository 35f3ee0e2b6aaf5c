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


_MOBILENET_BLOCKS = 17
_MOBILENET_STRIDED = (1, 3, 6, 13)
_MOBILENET_ADDED = (2, 4, 5, 7, 8, 9, 11, 12, 14, 15)


def layer_names(backbone: str) -> list[str]:
    """Names of the layers of one of ``components.model.backbones.BACKBONES``, from the picture on."""
    return {"small_cnn": _small_cnn, "efficientnet_lite0": _lite0, "mobilenet_v2": _mobilenet_v2}[backbone]()


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


def _mobilenet_v2() -> list[str]:
    """As Keras calls them: 17 blocks, of which the first widens nothing and some halve or add what they were given."""
    found = ["image", "scaling", "Conv1", "bn_Conv1", "Conv1_relu"]
    for block in range(_MOBILENET_BLOCKS):
        expand = ("expand", "expand_BN", "expand_relu") if block else ()
        pad = ("pad",) if block in _MOBILENET_STRIDED else ()
        depthwise = ("depthwise", "depthwise_BN", "depthwise_relu")
        add = ("add",) if block in _MOBILENET_ADDED else ()
        prefix = f"block_{block}" if block else "expanded_conv"
        found += [f"{prefix}_{part}" for part in (*expand, *pad, *depthwise, "project", "project_BN", *add)]
    return [*found, "Conv_1", "Conv_1_bn", "out_relu", "pool"]
