from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AbsentLevel(_message.Message):
    __slots__ = ["level", "message"]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    level: str
    message: str
    def __init__(self, level: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Agreement(_message.Message):
    __slots__ = ["agree", "code", "message"]
    AGREE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    agree: bool
    code: str
    message: str
    def __init__(self, agree: bool = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class AttributeLabel(_message.Message):
    __slots__ = ["column", "label"]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    column: str
    label: str
    def __init__(self, column: _Optional[str] = ..., label: _Optional[str] = ...) -> None: ...

class AttributeLabels(_message.Message):
    __slots__ = ["column", "head", "labels"]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    column: str
    head: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, head: _Optional[str] = ..., column: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ...) -> None: ...

class BatchItem(_message.Message):
    __slots__ = ["id", "image", "name"]
    ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    image: bytes
    name: str
    def __init__(self, id: _Optional[str] = ..., image: _Optional[bytes] = ..., name: _Optional[str] = ...) -> None: ...

class ClassifyBatchRequest(_message.Message):
    __slots__ = ["items", "options"]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[BatchItem]
    options: ClassifyOptions
    def __init__(self, items: _Optional[_Iterable[_Union[BatchItem, _Mapping]]] = ..., options: _Optional[_Union[ClassifyOptions, _Mapping]] = ...) -> None: ...

class ClassifyBatchResponse(_message.Message):
    __slots__ = ["failed", "request_id", "results", "succeeded", "total_ms"]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MS_FIELD_NUMBER: _ClassVar[int]
    failed: int
    request_id: str
    results: _containers.RepeatedCompositeFieldContainer[ClassifyResult]
    succeeded: int
    total_ms: float
    def __init__(self, request_id: _Optional[str] = ..., results: _Optional[_Iterable[_Union[ClassifyResult, _Mapping]]] = ..., succeeded: _Optional[int] = ..., failed: _Optional[int] = ..., total_ms: _Optional[float] = ...) -> None: ...

class ClassifyOptions(_message.Message):
    __slots__ = ["allow_partial", "top_k"]
    ALLOW_PARTIAL_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    allow_partial: bool
    top_k: int
    def __init__(self, allow_partial: bool = ..., top_k: _Optional[int] = ...) -> None: ...

class ClassifyRequest(_message.Message):
    __slots__ = ["image", "name", "options"]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    name: str
    options: ClassifyOptions
    def __init__(self, image: _Optional[bytes] = ..., options: _Optional[_Union[ClassifyOptions, _Mapping]] = ..., name: _Optional[str] = ...) -> None: ...

class ClassifyResponse(_message.Message):
    __slots__ = ["absent_levels", "agreement", "article_type", "attributes", "correction_share", "corrections_version", "familiarity", "image", "joint", "level", "master_category", "missing", "models", "name", "partial", "path", "release", "request_id", "review", "sub_category", "timings", "trial"]
    ABSENT_LEVELS_FIELD_NUMBER: _ClassVar[int]
    AGREEMENT_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    CORRECTIONS_VERSION_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_SHARE_FIELD_NUMBER: _ClassVar[int]
    FAMILIARITY_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    JOINT_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    MASTER_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    SUB_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    absent_levels: _containers.RepeatedCompositeFieldContainer[AbsentLevel]
    agreement: Agreement
    article_type: HeadPrediction
    attributes: _containers.RepeatedCompositeFieldContainer[HeadPrediction]
    correction_share: float
    corrections_version: int
    familiarity: float
    image: ImageInfo
    joint: JointPrediction
    level: str
    master_category: HeadPrediction
    missing: _containers.RepeatedCompositeFieldContainer[Problem]
    models: _containers.RepeatedCompositeFieldContainer[ModelVersion]
    name: NameUse
    partial: bool
    path: _containers.RepeatedScalarFieldContainer[str]
    release: str
    request_id: str
    review: Review
    sub_category: HeadPrediction
    timings: Timings
    trial: bool
    def __init__(self, request_id: _Optional[str] = ..., article_type: _Optional[_Union[HeadPrediction, _Mapping]] = ..., sub_category: _Optional[_Union[HeadPrediction, _Mapping]] = ..., master_category: _Optional[_Union[HeadPrediction, _Mapping]] = ..., joint: _Optional[_Union[JointPrediction, _Mapping]] = ..., path: _Optional[_Iterable[str]] = ..., level: _Optional[str] = ..., agreement: _Optional[_Union[Agreement, _Mapping]] = ..., review: _Optional[_Union[Review, _Mapping]] = ..., partial: bool = ..., missing: _Optional[_Iterable[_Union[Problem, _Mapping]]] = ..., release: _Optional[str] = ..., models: _Optional[_Iterable[_Union[ModelVersion, _Mapping]]] = ..., timings: _Optional[_Union[Timings, _Mapping]] = ..., image: _Optional[_Union[ImageInfo, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[HeadPrediction, _Mapping]]] = ..., trial: bool = ..., absent_levels: _Optional[_Iterable[_Union[AbsentLevel, _Mapping]]] = ..., familiarity: _Optional[float] = ..., name: _Optional[_Union[NameUse, _Mapping]] = ..., correction_share: _Optional[float] = ..., corrections_version: _Optional[int] = ...) -> None: ...

class ClassifyResult(_message.Message):
    __slots__ = ["answer", "error", "id", "index"]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    answer: ClassifyResponse
    error: Problem
    id: str
    index: int
    def __init__(self, id: _Optional[str] = ..., index: _Optional[int] = ..., answer: _Optional[_Union[ClassifyResponse, _Mapping]] = ..., error: _Optional[_Union[Problem, _Mapping]] = ...) -> None: ...

class ClassifyStreamRequest(_message.Message):
    __slots__ = ["item", "options"]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    item: BatchItem
    options: ClassifyOptions
    def __init__(self, item: _Optional[_Union[BatchItem, _Mapping]] = ..., options: _Optional[_Union[ClassifyOptions, _Mapping]] = ...) -> None: ...

class ExplainOptions(_message.Message):
    __slots__ = ["cells", "head", "label"]
    CELLS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    cells: int
    head: str
    label: str
    def __init__(self, head: _Optional[str] = ..., label: _Optional[str] = ..., cells: _Optional[int] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ["image", "options"]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    options: ExplainOptions
    def __init__(self, image: _Optional[bytes] = ..., options: _Optional[_Union[ExplainOptions, _Mapping]] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ["columns", "confidence", "head", "heat", "label", "release", "request_id", "rows", "total_ms"]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    HEAT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MS_FIELD_NUMBER: _ClassVar[int]
    columns: int
    confidence: float
    head: str
    heat: _containers.RepeatedScalarFieldContainer[float]
    label: str
    release: str
    request_id: str
    rows: int
    total_ms: float
    def __init__(self, request_id: _Optional[str] = ..., head: _Optional[str] = ..., label: _Optional[str] = ..., confidence: _Optional[float] = ..., rows: _Optional[int] = ..., columns: _Optional[int] = ..., heat: _Optional[_Iterable[float]] = ..., release: _Optional[str] = ..., total_ms: _Optional[float] = ...) -> None: ...

class FindSimilarRequest(_message.Message):
    __slots__ = ["image", "options"]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    image: bytes
    options: SimilarOptions
    def __init__(self, image: _Optional[bytes] = ..., options: _Optional[_Union[SimilarOptions, _Mapping]] = ...) -> None: ...

class FindSimilarResponse(_message.Message):
    __slots__ = ["counted", "nearest", "products", "release", "request_id", "total_ms"]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    PRODUCTS_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MS_FIELD_NUMBER: _ClassVar[int]
    counted: int
    nearest: _containers.RepeatedCompositeFieldContainer[LabelCount]
    products: _containers.RepeatedCompositeFieldContainer[SimilarProduct]
    release: str
    request_id: str
    total_ms: float
    def __init__(self, request_id: _Optional[str] = ..., products: _Optional[_Iterable[_Union[SimilarProduct, _Mapping]]] = ..., nearest: _Optional[_Iterable[_Union[LabelCount, _Mapping]]] = ..., counted: _Optional[int] = ..., release: _Optional[str] = ..., total_ms: _Optional[float] = ...) -> None: ...

class GetModelsRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class GetTaxonomyRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class HeadCard(_message.Message):
    __slots__ = ["column", "labels", "level", "name", "review_precision", "review_threshold", "temperature"]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVIEW_PRECISION_FIELD_NUMBER: _ClassVar[int]
    REVIEW_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    column: str
    labels: int
    level: int
    name: str
    review_precision: float
    review_threshold: float
    temperature: float
    def __init__(self, name: _Optional[str] = ..., labels: _Optional[int] = ..., review_threshold: _Optional[float] = ..., review_precision: _Optional[float] = ..., temperature: _Optional[float] = ..., column: _Optional[str] = ..., level: _Optional[int] = ...) -> None: ...

class HeadLabels(_message.Message):
    __slots__ = ["article_type", "master_category", "sub_category"]
    ARTICLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    MASTER_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    SUB_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    article_type: _containers.RepeatedScalarFieldContainer[str]
    master_category: _containers.RepeatedScalarFieldContainer[str]
    sub_category: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, article_type: _Optional[_Iterable[str]] = ..., sub_category: _Optional[_Iterable[str]] = ..., master_category: _Optional[_Iterable[str]] = ...) -> None: ...

class HeadPrediction(_message.Message):
    __slots__ = ["column", "confidence", "head", "label", "review", "top_k"]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    column: str
    confidence: float
    head: str
    label: str
    review: ReviewReason
    top_k: _containers.RepeatedCompositeFieldContainer[LabelScore]
    def __init__(self, label: _Optional[str] = ..., confidence: _Optional[float] = ..., top_k: _Optional[_Iterable[_Union[LabelScore, _Mapping]]] = ..., head: _Optional[str] = ..., review: _Optional[_Union[ReviewReason, _Mapping]] = ..., column: _Optional[str] = ...) -> None: ...

class ImageInfo(_message.Message):
    __slots__ = ["format", "height", "reencoded", "size_bytes", "width"]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    REENCODED_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    format: str
    height: int
    reencoded: bool
    size_bytes: int
    width: int
    def __init__(self, format: _Optional[str] = ..., width: _Optional[int] = ..., height: _Optional[int] = ..., size_bytes: _Optional[int] = ..., reencoded: bool = ...) -> None: ...

class JointPrediction(_message.Message):
    __slots__ = ["article_type", "confidence", "master_category", "sub_category", "top_k"]
    ARTICLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    MASTER_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    SUB_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    article_type: str
    confidence: float
    master_category: str
    sub_category: str
    top_k: _containers.RepeatedCompositeFieldContainer[PathScore]
    def __init__(self, article_type: _Optional[str] = ..., sub_category: _Optional[str] = ..., master_category: _Optional[str] = ..., confidence: _Optional[float] = ..., top_k: _Optional[_Iterable[_Union[PathScore, _Mapping]]] = ...) -> None: ...

class LabelCount(_message.Message):
    __slots__ = ["count", "label"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    count: int
    label: str
    def __init__(self, label: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class LabelScore(_message.Message):
    __slots__ = ["confidence", "label"]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    confidence: float
    label: str
    def __init__(self, label: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class ModelCard(_message.Message):
    __slots__ = ["familiarity_threshold", "heads", "image_height", "image_width", "known_pictures", "learns_at_once", "training_json"]
    FAMILIARITY_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_WIDTH_FIELD_NUMBER: _ClassVar[int]
    KNOWN_PICTURES_FIELD_NUMBER: _ClassVar[int]
    LEARNS_AT_ONCE_FIELD_NUMBER: _ClassVar[int]
    TRAINING_JSON_FIELD_NUMBER: _ClassVar[int]
    familiarity_threshold: float
    heads: _containers.RepeatedCompositeFieldContainer[HeadCard]
    image_height: int
    image_width: int
    known_pictures: int
    learns_at_once: bool
    training_json: str
    def __init__(self, image_height: _Optional[int] = ..., image_width: _Optional[int] = ..., heads: _Optional[_Iterable[_Union[HeadCard, _Mapping]]] = ..., training_json: _Optional[str] = ..., familiarity_threshold: _Optional[float] = ..., known_pictures: _Optional[int] = ..., learns_at_once: bool = ...) -> None: ...

class ModelStatus(_message.Message):
    __slots__ = ["available", "card", "message", "name", "versions"]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    available: bool
    card: ModelCard
    message: str
    name: str
    versions: _containers.RepeatedCompositeFieldContainer[VersionStatus]
    def __init__(self, name: _Optional[str] = ..., available: bool = ..., message: _Optional[str] = ..., versions: _Optional[_Iterable[_Union[VersionStatus, _Mapping]]] = ..., card: _Optional[_Union[ModelCard, _Mapping]] = ...) -> None: ...

class ModelVersion(_message.Message):
    __slots__ = ["name", "version"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Models(_message.Message):
    __slots__ = ["models", "ready", "release", "trial"]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[ModelStatus]
    ready: bool
    release: str
    trial: bool
    def __init__(self, release: _Optional[str] = ..., ready: bool = ..., models: _Optional[_Iterable[_Union[ModelStatus, _Mapping]]] = ..., trial: bool = ...) -> None: ...

class NameUse(_message.Message):
    __slots__ = ["code", "fits", "heard", "message"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    FITS_FIELD_NUMBER: _ClassVar[int]
    HEARD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    fits: float
    heard: bool
    message: str
    def __init__(self, heard: bool = ..., code: _Optional[str] = ..., message: _Optional[str] = ..., fits: _Optional[float] = ...) -> None: ...

class PathScore(_message.Message):
    __slots__ = ["article_type", "confidence", "master_category", "sub_category"]
    ARTICLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    MASTER_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    SUB_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    article_type: str
    confidence: float
    master_category: str
    sub_category: str
    def __init__(self, article_type: _Optional[str] = ..., sub_category: _Optional[str] = ..., master_category: _Optional[str] = ..., confidence: _Optional[float] = ...) -> None: ...

class Problem(_message.Message):
    __slots__ = ["code", "detail", "model", "request_id", "retry_after_s", "status", "title", "type"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    code: str
    detail: str
    model: str
    request_id: str
    retry_after_s: float
    status: int
    title: str
    type: str
    def __init__(self, type: _Optional[str] = ..., title: _Optional[str] = ..., status: _Optional[int] = ..., detail: _Optional[str] = ..., code: _Optional[str] = ..., request_id: _Optional[str] = ..., model: _Optional[str] = ..., retry_after_s: _Optional[float] = ...) -> None: ...

class ReasonCount(_message.Message):
    __slots__ = ["count", "reason"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    count: int
    reason: str
    def __init__(self, reason: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class Review(_message.Message):
    __slots__ = ["needed", "reasons"]
    NEEDED_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    needed: bool
    reasons: _containers.RepeatedCompositeFieldContainer[ReviewReason]
    def __init__(self, needed: bool = ..., reasons: _Optional[_Iterable[_Union[ReviewReason, _Mapping]]] = ...) -> None: ...

class ReviewCard(_message.Message):
    __slots__ = ["answer", "caller", "count", "first_at", "id", "last_at", "lease", "leased_until", "reasons", "sha256"]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_AT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    LEASED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    answer: ClassifyResponse
    caller: str
    count: int
    first_at: str
    id: int
    last_at: str
    lease: str
    leased_until: str
    reasons: _containers.RepeatedScalarFieldContainer[str]
    sha256: str
    def __init__(self, id: _Optional[int] = ..., sha256: _Optional[str] = ..., answer: _Optional[_Union[ClassifyResponse, _Mapping]] = ..., reasons: _Optional[_Iterable[str]] = ..., caller: _Optional[str] = ..., count: _Optional[int] = ..., first_at: _Optional[str] = ..., last_at: _Optional[str] = ..., leased_until: _Optional[str] = ..., lease: _Optional[str] = ...) -> None: ...

class ReviewClaim(_message.Message):
    __slots__ = ["card", "counts"]
    CARD_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    card: ReviewCard
    counts: ReviewCounts
    def __init__(self, card: _Optional[_Union[ReviewCard, _Mapping]] = ..., counts: _Optional[_Union[ReviewCounts, _Mapping]] = ...) -> None: ...

class ReviewClaimRequest(_message.Message):
    __slots__ = ["order", "reason"]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    order: str
    reason: str
    def __init__(self, reason: _Optional[str] = ..., order: _Optional[str] = ...) -> None: ...

class ReviewCounts(_message.Message):
    __slots__ = ["decided", "dropped", "leased", "open", "reasons"]
    DECIDED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    LEASED_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    decided: int
    dropped: int
    leased: int
    open: int
    reasons: _containers.RepeatedCompositeFieldContainer[ReasonCount]
    def __init__(self, open: _Optional[int] = ..., leased: _Optional[int] = ..., decided: _Optional[int] = ..., dropped: _Optional[int] = ..., reasons: _Optional[_Iterable[_Union[ReasonCount, _Mapping]]] = ...) -> None: ...

class ReviewDecision(_message.Message):
    __slots__ = ["answered", "article_type", "at", "attributes", "by", "decision", "master_category", "picture", "picture_name", "release", "sha256", "sub_category", "version"]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    ARTICLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    MASTER_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    PICTURE_NAME_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SUB_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    answered: str
    article_type: str
    at: str
    attributes: _containers.RepeatedCompositeFieldContainer[AttributeLabel]
    by: str
    decision: str
    master_category: str
    picture: bytes
    picture_name: str
    release: str
    sha256: str
    sub_category: str
    version: int
    def __init__(self, version: _Optional[int] = ..., sha256: _Optional[str] = ..., decision: _Optional[str] = ..., article_type: _Optional[str] = ..., sub_category: _Optional[str] = ..., master_category: _Optional[str] = ..., attributes: _Optional[_Iterable[_Union[AttributeLabel, _Mapping]]] = ..., answered: _Optional[str] = ..., release: _Optional[str] = ..., by: _Optional[str] = ..., at: _Optional[str] = ..., picture_name: _Optional[str] = ..., picture: _Optional[bytes] = ...) -> None: ...

class ReviewDecisionRequest(_message.Message):
    __slots__ = ["article_type", "attributes", "decision", "lease", "master_category", "name", "sub_category"]
    ARTICLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    MASTER_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUB_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    article_type: str
    attributes: _containers.RepeatedCompositeFieldContainer[AttributeLabel]
    decision: str
    lease: str
    master_category: str
    name: str
    sub_category: str
    def __init__(self, lease: _Optional[str] = ..., decision: _Optional[str] = ..., article_type: _Optional[str] = ..., sub_category: _Optional[str] = ..., master_category: _Optional[str] = ..., attributes: _Optional[_Iterable[_Union[AttributeLabel, _Mapping]]] = ..., name: _Optional[str] = ...) -> None: ...

class ReviewDecisions(_message.Message):
    __slots__ = ["decisions"]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    decisions: _containers.RepeatedCompositeFieldContainer[ReviewDecision]
    def __init__(self, decisions: _Optional[_Iterable[_Union[ReviewDecision, _Mapping]]] = ...) -> None: ...

class ReviewLease(_message.Message):
    __slots__ = ["lease"]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    lease: str
    def __init__(self, lease: _Optional[str] = ...) -> None: ...

class ReviewQueue(_message.Message):
    __slots__ = ["cards", "counts"]
    CARDS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    cards: _containers.RepeatedCompositeFieldContainer[ReviewCard]
    counts: ReviewCounts
    def __init__(self, cards: _Optional[_Iterable[_Union[ReviewCard, _Mapping]]] = ..., counts: _Optional[_Union[ReviewCounts, _Mapping]] = ...) -> None: ...

class ReviewReason(_message.Message):
    __slots__ = ["code", "confidence", "head", "message", "threshold"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    code: str
    confidence: float
    head: str
    message: str
    threshold: float
    def __init__(self, code: _Optional[str] = ..., head: _Optional[str] = ..., confidence: _Optional[float] = ..., threshold: _Optional[float] = ..., message: _Optional[str] = ...) -> None: ...

class ReviewUndoRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class SimilarOptions(_message.Message):
    __slots__ = ["k", "thumbnails"]
    K_FIELD_NUMBER: _ClassVar[int]
    THUMBNAILS_FIELD_NUMBER: _ClassVar[int]
    k: int
    thumbnails: bool
    def __init__(self, k: _Optional[int] = ..., thumbnails: bool = ...) -> None: ...

class SimilarProduct(_message.Message):
    __slots__ = ["article_type", "id", "name", "similarity", "thumbnail"]
    ARTICLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    THUMBNAIL_FIELD_NUMBER: _ClassVar[int]
    article_type: str
    id: str
    name: str
    similarity: float
    thumbnail: bytes
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., article_type: _Optional[str] = ..., similarity: _Optional[float] = ..., thumbnail: _Optional[bytes] = ...) -> None: ...

class Taxonomy(_message.Message):
    __slots__ = ["attributes", "labels", "paths", "release"]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    PATHS_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedCompositeFieldContainer[AttributeLabels]
    labels: HeadLabels
    paths: _containers.RepeatedCompositeFieldContainer[TaxonomyPath]
    release: str
    def __init__(self, release: _Optional[str] = ..., paths: _Optional[_Iterable[_Union[TaxonomyPath, _Mapping]]] = ..., labels: _Optional[_Union[HeadLabels, _Mapping]] = ..., attributes: _Optional[_Iterable[_Union[AttributeLabels, _Mapping]]] = ...) -> None: ...

class TaxonomyPath(_message.Message):
    __slots__ = ["article_type", "count", "master_category", "sub_category"]
    ARTICLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MASTER_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    SUB_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    article_type: str
    count: int
    master_category: str
    sub_category: str
    def __init__(self, article_type: _Optional[str] = ..., sub_category: _Optional[str] = ..., master_category: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class Timings(_message.Message):
    __slots__ = ["article_type_ms", "category_ms", "image_ms", "merge_ms", "queue_ms", "total_ms"]
    ARTICLE_TYPE_MS_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_MS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_MS_FIELD_NUMBER: _ClassVar[int]
    MERGE_MS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_MS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MS_FIELD_NUMBER: _ClassVar[int]
    article_type_ms: float
    category_ms: float
    image_ms: float
    merge_ms: float
    queue_ms: float
    total_ms: float
    def __init__(self, total_ms: _Optional[float] = ..., queue_ms: _Optional[float] = ..., image_ms: _Optional[float] = ..., article_type_ms: _Optional[float] = ..., category_ms: _Optional[float] = ..., merge_ms: _Optional[float] = ...) -> None: ...

class VersionStatus(_message.Message):
    __slots__ = ["message", "state", "version"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    message: str
    state: str
    version: str
    def __init__(self, version: _Optional[str] = ..., state: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
