"""A stand-in for TensorFlow Serving 2.16.1 in one Python process: its gRPC and REST API, its flags, its SavedModels.

For machines without tensorflow_model_server and without a container engine. Run ``python -m serving.model_server
--help``. It is the one part of ``serving`` that needs TensorFlow, and it knows nothing of pictures or of fashion.

The way of a request: ``api.grpc_services`` or ``api.rest`` → ``api.predict`` → ``models.manager`` (which version) →
``models.batching`` (with whom) → ``models.saved_model`` (run).

What a client or an operator can tell is as in TensorFlow Serving: a full batching queue is UNAVAILABLE, a call beyond
``--grpc_max_threads`` RESOURCE_EXHAUSTED; an unknown flag is passed over; the port opens once every model serves, and
who can't start ends with exit status 255; one missing base path stops the looking for versions of every model; a reload
with an entry without ``model_platform`` makes it refuse every later one. ``tests/contract`` holds both to it.

Where it differs, it does so for the sake of who operates it: it listens on loopback unless ``--bind_address`` says
otherwise; SIGTERM drains; the health service follows the models; a reload that names a missing folder fails, instead of
hanging; errors of a run don't name the graph's nodes; JSON nested too deep is an error, not the end of the process.
Classify, Regress and MultiInference are UNIMPLEMENTED.
"""
