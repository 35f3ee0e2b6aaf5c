"""The RPC contract: ``lookbook/v1/classifier.proto`` and the Python generated from it.

The generated code is committed, so that nobody needs protoc. After a change of the .proto regenerate it with
``make proto``, which runs ``serving/tools/generate_proto.sh``.
"""
