"""The generated code and schemas are those of the .proto, and every field of it is explained."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from grpc_tools import protoc

from serving.merger.rest.docs import SCHEMAS
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from serving.tools.proto_schema import schemas
from tests.tiny_models import ROOT

PROTO = "serving/proto/lookbook/v1/classifier.proto"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pb2.FileDescriptorProto:
    """The .proto as the compiler reads it today, comments included."""
    out = tmp_path_factory.mktemp("proto") / "set"
    includes = [f"--proto_path={ROOT}", f"--proto_path={files('grpc_tools') / '_proto'}"]
    command = ["protoc", *includes, f"--descriptor_set_out={out}", "--include_source_info", str(ROOT / PROTO)]
    assert protoc.main(command) == 0
    return descriptor_pb2.FileDescriptorSet.FromString(Path(out).read_bytes()).file[0]


def test_generated_code_is_fresh(compiled: descriptor_pb2.FileDescriptorProto) -> None:
    """Who changes the .proto must run ``make proto``."""
    generated = descriptor_pb2.FileDescriptorProto()
    pb.DESCRIPTOR.CopyToProto(generated)
    assert json_names_cleared(generated) == json_names_cleared(compiled)


def test_schemas_are_fresh(compiled: descriptor_pb2.FileDescriptorProto) -> None:
    """The description of the REST API follows the .proto, comments included."""
    assert json.loads(SCHEMAS.read_text()) == schemas(compiled)


def test_every_field_is_explained(compiled: descriptor_pb2.FileDescriptorProto) -> None:
    """Every field, method and service has a comment."""
    for message, schema in schemas(compiled).items():
        for field, described in schema["properties"].items():
            assert described["description"], f"{message}.{field}"
    explained = {tuple(place.path) for place in compiled.source_code_info.location if place.leading_comments}
    service = compiled.service[0]
    assert {(6, 0), *((6, 0, 2, i) for i in range(len(service.method)))} <= explained


def test_json_shows_every_field(compiled: descriptor_pb2.FileDescriptorProto) -> None:
    """An empty answer has every field: what is absent is null, what is empty is empty."""
    assert as_json(pb.ReviewReason()) == {
        "code": "",
        "head": None,
        "confidence": None,
        "threshold": None,
        "message": "",
    }
    answer = as_json(pb.ClassifyResponse(path=["a"], joint=pb.JointPrediction(top_k=[pb.PathScore(confidence=0.5)])))
    assert answer["path"] == ["a"] and answer["article_type"] is None and answer["missing"] == []
    assert answer["joint"]["top_k"][0] == {
        "article_type": None, "sub_category": None, "master_category": None, "confidence": 0.5,
    }  # fmt: skip
    for name, schema in schemas(compiled).items():
        check_types(as_json(getattr(pb, name)()), schema)


def check_types(document: dict[str, Any], schema: dict[str, Any]) -> None:
    kinds = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list}
    assert list(document) == schema["required"]
    for name, value in document.items():
        described = schema["properties"][name]
        if value is None:
            assert {"type": "null"} in described["anyOf"]
        elif described.get("format") != "byte":
            assert isinstance(value, kinds[described["type"]]), name


def json_names_cleared(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto.FromString(file.SerializeToString())
    file.ClearField("source_code_info")
    for message in file.message_type:
        for field in message.field:
            field.ClearField("json_name")
    return file
