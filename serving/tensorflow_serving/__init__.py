"""Configuration of TensorFlow Serving: used unchanged by the container, and through :mod:`.local` on this machine."""
