"""AdamW as the trainers want it: warm-up, cosine decay, and a learning rate of its own for the backbone."""

from collections.abc import Collection
from typing import Any

import keras
import tensorflow as tf

from components.training.hyperparameters import HyperParameters


@keras.saving.register_keras_serializable(package="lookbook")
class DiscriminativeAdamW(keras.optimizers.AdamW):
    """AdamW with a smaller learning rate for some variables.

    Scaling their gradients would do nothing: Adam divides the scale out again. (Howard and Ruder, "Universal Language
    Model Fine-tuning", 2018, section 3.2, for the idea.)

    Args:
        slow_variables: paths of the variables that learn more slowly.
        slow_rate: their learning rate as a share of the others'.
    """

    def __init__(self, *args: Any, slow_variables: Collection[str] = (), slow_rate: float = 1.0, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.slow_variables, self.slow_rate = frozenset(slow_variables), float(slow_rate)

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Moves one variable, by its own learning rate."""
        # TensorFlow's bare variable comes here, which does not know its path.
        path = self._trainable_variables[self._get_variable_index(variable)].path
        rate = self.slow_rate if path in self.slow_variables else 1.0
        super().update_step(gradient, variable, learning_rate * rate)

    def get_config(self) -> dict[str, Any]:
        """What Keras saves of it."""
        config = super().get_config()
        return {**config, "slow_variables": sorted(self.slow_variables), "slow_rate": self.slow_rate}


def make_optimizer(parameters: HyperParameters, steps: int, backbone: keras.Model) -> keras.optimizers.Optimizer:
    """The optimizer for a stage of training of that many steps."""
    warmup = max(1, round(steps * parameters.warmup))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=parameters.learning_rate,
        warmup_steps=warmup,
        decay_steps=max(1, steps - warmup),
        alpha=0.01,
    )
    optimizer = DiscriminativeAdamW(
        schedule,
        weight_decay=parameters.weight_decay,
        use_ema=parameters.ema > 0,
        ema_momentum=parameters.ema or 0.99,
        slow_variables=[variable.path for variable in backbone.trainable_variables],
        slow_rate=parameters.backbone_rate,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
