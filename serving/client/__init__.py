"""The merger's client: :class:`ClassifierClient`, and the classification of whole folders."""

from serving.client.client import ClassifierClient, ClassifyError

__all__ = ["ClassifierClient", "ClassifyError"]
