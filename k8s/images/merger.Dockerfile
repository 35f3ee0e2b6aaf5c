# The merger with its page; no TensorFlow. From the root of the repository:
#   docker build --file k8s/images/merger.Dockerfile --tag lookbook/merger:0.2.0 .
ARG NODE_IMAGE=docker.io/library/node:22-bookworm-slim
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-trixie

FROM ${NODE_IMAGE} AS page
WORKDIR /page
COPY serving/web/package.json serving/web/package-lock.json ./
RUN npm ci
COPY serving/web ./
RUN npm run build

FROM ${PYTHON_IMAGE} AS environment
COPY requirements/serving.txt /build/
# Everything is locked with its hash; pip itself and the packages' own tests stay behind.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --require-hashes --requirement /build/serving.txt \
    && find /opt/venv -type d -name tests -prune -exec rm -r {} +

FROM ${PYTHON_IMAGE} AS source
WORKDIR /opt/lookbook
COPY schema schema
COPY serving serving
# What answers no request: the stand-in for TensorFlow Serving, the page's sources, and our tools.
RUN rm -rf serving/model_server serving/web serving/tools
COPY --from=page /page/dist serving/web/dist
# Compiled here, because nothing can be written where it runs.
RUN python -m compileall -q .

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Lookbook merger" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=environment /opt/venv /opt/venv
COPY --from=source /opt/lookbook /opt/lookbook
WORKDIR /opt/lookbook
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    LOOKBOOK_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8080 9090 9091
ENTRYPOINT ["/opt/venv/bin/python", "-m", "serving"]
