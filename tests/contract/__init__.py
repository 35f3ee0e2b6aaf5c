"""What a model server owes its callers, asked of any TensorFlow Serving address.

``make contract MODEL_SERVER=host:port`` runs it against that server, plain ``make contract`` against the embedded one
on tiny models. ``MODELS=a,b`` names the models where they are not Lookbook's. It asks only what TensorFlow Serving
itself promises, loads no model and changes nothing, so that it may run against a server at work, which feels one burst
of 400 calls; what the embedded server alone says is in ``tests/model_server``.

    docker run -p 127.0.0.1:8500:8500 … tensorflow/serving:2.20.0 … && make contract MODEL_SERVER=127.0.0.1:8500
"""
