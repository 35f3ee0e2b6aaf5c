"""One worker of a training, for ``test_devices``: ``python -m tests.components.training.shared_training FOLDER [DIE]``.

What it saw, and the metrics, lie in ``FOLDER`` afterwards. With ``DIE`` worker 1 kills itself at the end of that epoch,
once.
"""

import json
import os
import sys
from pathlib import Path

ROWS, EVAL_ROWS, EPOCHS = 45, 10, 8


def main(folder: Path, dies_after: int | None) -> None:
    """Trains on rows whose red is their number, and whose green tells their label."""
    import keras
    import numpy as np
    import tensorflow as tf

    devices = _devices(tf)

    from components.training import augmentation, loop
    from components.training.hyperparameters import Augmentation, HyperParameters

    seen: list[list[int]] = []

    def spy(own, how, seed):
        def note(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
            seen.extend([int(image[0, 0, 0]) for image, label in zip(images, labels, strict=True) if label.any()])
            return images

        def change(images, labels):
            [shares] = labels.values()
            noted = tf.numpy_function(note, [images, shares], tf.uint8)
            return tf.cast(tf.ensure_shape(noted, images.shape), tf.float32), labels

        return own.map(change)

    augmentation.augment = spy

    class Epochs(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            with (folder / f"epochs-{devices.index}.jsonl").open("a") as file:
                file.write(json.dumps([epoch, logs]) + "\n")
            if devices.index and epoch == dies_after and not (folder / "died").exists():
                (folder / "died").touch()
                os.kill(os.getpid(), 9)

    real = loop._callbacks
    loop._callbacks = lambda *arguments: [*real(*arguments), Epochs()]
    keras.utils.set_random_seed(7)
    parameters = HyperParameters(
        height=16,
        width=16,
        epochs=EPOCHS - 1,
        head_epochs=1,
        batch_size=8,
        learning_rate=0.01,
        backbone="small_cnn",
        frozen_to="",
        neighbours=0,
        neighbour_layers="",
        patience=EPOCHS,
        augmentation=Augmentation(flip=True),
    )
    rows, evaluation = (_rows(np, tf, count, first) for count, first in ((ROWS, 0), (EVAL_ROWS, 100)))
    counts = {"kind": [ROWS // 2 + ROWS % 2, ROWS // 2]}
    run_dir = folder / "run"
    run_dir.mkdir(exist_ok=True)
    model, _ = loop.train_classifier("test", rows, evaluation.batch(8), counts, parameters, run_dir, None, devices)
    (folder / f"seen-{devices.index}.json").write_text(json.dumps(seen))
    if devices.is_chief:
        model.save_weights(folder / "trained.weights.h5")
    sys.stdout.flush()
    os._exit(0)


def _devices(tf):
    from components.training.devices import Devices, open_devices

    if not os.environ.get("TWO_DEVICES"):
        return open_devices()
    # What several GPUs are to one process, two halves of a CPU are too.
    [cpu] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return Devices(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))


def _rows(np, tf, count, first):
    numbers = np.arange(first, first + count)
    images = np.zeros((count, 16, 16, 3), np.uint8)
    images[..., 0] = numbers[:, None, None]
    images[..., 1] = 200 * (numbers % 2)[:, None, None]
    return tf.data.Dataset.from_tensor_slices((images, {"kind": numbers % 2}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
