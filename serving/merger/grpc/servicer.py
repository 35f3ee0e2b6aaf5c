"""The gRPC methods: each converts, awaits the classifier once, converts back."""

from collections.abc import AsyncIterator
from functools import partial
from typing import TypeVar

import grpc.aio
from google.protobuf.message import Message

from serving.merger import views
from serving.merger.admission.streams import Stream, Streams
from serving.merger.admission.upload import Upload
from serving.merger.core.calls import Item, StreamItem
from serving.merger.grpc.guard import Caller, Context, Guard, Requests, read, write
from serving.merger.grpc.wire import parse
from serving.merger.models.releases import Releases
from serving.merger.service import Classifier
from serving.merger.settings import Settings
from serving.proto.lookbook.v1 import classifier_pb2 as pb

Options = TypeVar("Options", bound=Message)


class ClassifierServicer:
    """The service over the classifier."""

    def __init__(self, classifier: Classifier, releases: Releases, guard: Guard, settings: Settings) -> None:
        self._classifier = classifier
        self._releases = releases
        self._guard = guard
        self._settings = settings
        self._streams = Streams(settings.max_streams, settings.max_caller_streams)

    def handlers(self) -> dict[str, grpc.RpcMethodHandler]:
        """Method → handler.

        All take a stream of bytes, which a single message is too on the wire: gRPC's own handlers of single messages
        receive and parse them before anyone can look at the key.
        """
        found = {
            method.name: grpc.stream_unary_rpc_method_handler(getattr(self, method.name), None, _serialize)
            for method in pb.DESCRIPTOR.services_by_name["Classifier"].methods
        }
        streaming = grpc.stream_stream_rpc_method_handler(self.ClassifyStream, None, _serialize)
        return found | {"ClassifyStream": streaming}

    async def Classify(self, _requests: Requests, context: Context) -> pb.ClassifyResponse:
        """One picture."""

        async def work(request: pb.ClassifyRequest, caller: Caller) -> pb.ClassifyResponse:
            image, name = request.image, request.name
            call = caller.call(request.options, self._settings.request_timeout_ms)
            del request  # it holds the picture a second time
            return await self._classifier.classify(image, call, name)

        return await self._guard.one("Classify", pb.ClassifyRequest, context, work)

    async def ClassifyBatch(self, _requests: Requests, context: Context) -> pb.ClassifyBatchResponse:
        """Many pictures."""

        async def work(request: pb.ClassifyBatchRequest, caller: Caller) -> pb.ClassifyBatchResponse:
            items = [Item(item.id, item.image, item.name) for item in request.items]
            call = caller.call(request.options, self._settings.request_timeout_ms)
            del request
            return await self._classifier.classify_batch(items, call)

        return await self._guard.one("ClassifyBatch", pb.ClassifyBatchRequest, context, work)

    async def ClassifyStream(self, _requests: Requests, context: Context) -> None:
        """A catalogue of pictures."""

        async def work(caller: Caller) -> None:
            with self._streams.open(caller.name) as stream:
                await self._stream(stream, caller, context)

        await self._guard.any("ClassifyStream", context, work)

    async def Explain(self, _requests: Requests, context: Context) -> pb.ExplainResponse:
        """Which parts of a picture a label rests on."""

        async def work(request: pb.ExplainRequest, caller: Caller) -> pb.ExplainResponse:
            call = caller.call(pb.ClassifyOptions(), self._settings.request_timeout_ms)
            image, options = request.image, _copy(request.options)
            del request
            return await self._classifier.explain(image, options, call)

        return await self._guard.one("Explain", pb.ExplainRequest, context, work)

    async def FindSimilar(self, _requests: Requests, context: Context) -> pb.FindSimilarResponse:
        """The known products that look most like a picture."""

        async def work(request: pb.FindSimilarRequest, caller: Caller) -> pb.FindSimilarResponse:
            call = caller.call(pb.ClassifyOptions(), self._settings.request_timeout_ms)
            image, options = request.image, _copy(request.options)
            del request
            return await self._classifier.find_similar(image, options, call)

        return await self._guard.one("FindSimilar", pb.FindSimilarRequest, context, work)

    async def GetTaxonomy(self, _requests: Requests, context: Context) -> pb.Taxonomy:
        """Every path that an answer can name."""

        async def work(_: pb.GetTaxonomyRequest, __: Caller) -> pb.Taxonomy:
            return views.taxonomy(self._releases)

        return await self._guard.one("GetTaxonomy", pb.GetTaxonomyRequest, context, work)

    async def GetModels(self, _requests: Requests, context: Context) -> pb.Models:
        """The release and the models."""

        async def work(_: pb.GetModelsRequest, __: Caller) -> pb.Models:
            return views.models(self._releases)

        return await self._guard.one("GetModels", pb.GetModelsRequest, context, work)

    async def _stream(self, stream: Stream, caller: Caller, context: Context) -> None:
        idle_s = self._settings.stream_idle_timeout_ms / 1000
        async for result in self._classifier.classify_stream(self._items(stream, caller, context)):
            await write(context, result, idle_s)

    async def _items(self, stream: Stream, caller: Caller, context: Context) -> AsyncIterator[StreamItem]:
        """The pictures as they come; the bytes of each are held until it is answered.

        Raises:
            UploadTimeout: none came for too long.
            Overloaded: the stream had to give way.
        """
        options: pb.ClassifyOptions | None = None
        while True:
            upload = stream.awaited = self._guard.uploads.open(caller.name, is_counted=False)
            try:
                data = await upload.receive(lambda: read(context), self._settings.stream_idle_timeout_ms / 1000)
                if data is None:
                    self._guard.uploads.forget(upload)
                    return
                request = parse(pb.ClassifyStreamRequest, data, 1)
                options = options or _copy(request.options)  # the first message's hold for all
                call = caller.call(options, self._settings.stream_item_timeout_ms)
                await upload.grow(len(data), call.deadline)
            except BaseException:
                self._guard.uploads.forget(upload)
                raise
            stream.owed += 1
            item = Item(request.item.id, request.item.image, request.item.name)
            del data, request
            yield StreamItem(item, call, partial(self._answered, stream, upload))

    def _answered(self, stream: Stream, upload: Upload, _: object) -> None:
        stream.owed -= 1
        self._guard.uploads.forget(upload)


def _copy(options: Options) -> Options:
    """The options alone: a message keeps all in memory that came with it."""
    copy = type(options)()
    copy.CopyFrom(options)
    return copy


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()
