"""The client of TensorFlow Serving: channels, retries, circuit breaker, micro-batches, releases."""
