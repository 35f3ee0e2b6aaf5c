"""A stand-in for TensorFlow Serving in one Python process: its gRPC and REST API, its flags, its SavedModels.

For machines without tensorflow_model_server and without a container engine. Run ``python -m serving.model_server
--help``. It is the one part of ``serving`` that needs TensorFlow, and it knows nothing of pictures or of fashion.

The way of a request: ``api.grpc_services`` or ``api.rest`` → ``api.predict`` → ``models.manager`` (which version) →
``models.batching`` (with whom) → ``models.saved_model`` (run).

Where it differs from TensorFlow Serving, it does so for the sake of who operates it: SIGTERM drains; a full queue is
RESOURCE_EXHAUSTED, not UNAVAILABLE, which clients would send again at once; a server whose models are missing or broken
is up and says so, instead of starting for ever; a reload that names a missing folder fails, instead of hanging; errors
of a run don't name the graph's nodes. Classify, Regress and MultiInference are UNIMPLEMENTED.
"""
