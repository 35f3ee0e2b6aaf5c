"""What the schema must say of the heads' columns, completed from the table of heads."""

from tensorflow_metadata.proto.v0 import schema_pb2

from schema import heads as table

_GROUP = ""
"""TFX's name of the group of tensors that every reader uses."""


def with_heads(schema: schema_pb2.Schema) -> schema_pb2.Schema:
    """The schema, with what it lacks of the attributes, and of the upper levels, in the table of heads.

    A column that it does not know may be text or missing. An empty cell becomes an empty text, or -1 in a column of
    numbers (``components.model.preprocessing.NO_NUMBER``), so that a batch of N rows is [N] in every graph.
    """
    completed = schema_pb2.Schema()
    completed.CopyFrom(schema)
    columns = table.columns((*table.taxonomy()[:-1], *table.attributes()))
    known = {feature.name for feature in completed.feature}
    completed.feature.extend(_optional_text(column) for column in columns if column not in known)
    tensors = completed.tensor_representation_group[_GROUP].tensor_representation
    for feature in completed.feature:
        # All of them: TFX infers no tensor any more once the schema tells of one.
        is_label = feature.name in columns
        if feature.name not in tensors or (
            is_label and not tensors[feature.name].dense_tensor.HasField("default_value")
        ):
            tensors[feature.name].CopyFrom(_tensor(feature, is_label))
    return completed


def _optional_text(column: str) -> schema_pb2.Feature:
    feature = schema_pb2.Feature(name=column, type=schema_pb2.BYTES)
    feature.presence.min_fraction = 0.0
    feature.value_count.min = feature.value_count.max = 1
    return feature


def _tensor(feature: schema_pb2.Feature, is_label: bool) -> schema_pb2.TensorRepresentation:
    representation = schema_pb2.TensorRepresentation()
    if not is_label and not feature.HasField("shape"):
        representation.varlen_sparse_tensor.column_name = feature.name
        return representation
    representation.dense_tensor.column_name = feature.name
    representation.dense_tensor.shape.SetInParent()
    if is_label and feature.type == schema_pb2.INT:
        representation.dense_tensor.default_value.int_value = -1
    elif is_label:
        representation.dense_tensor.default_value.bytes_value = b""
    return representation
