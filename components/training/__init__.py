"""The Trainer's run_fn and its loop: data, augmentation, losses, optimizers, hyper-parameters."""
