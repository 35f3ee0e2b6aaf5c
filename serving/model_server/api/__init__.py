"""The two faces of the model server: TensorFlow Serving's gRPC and REST API, over one way to predict."""
