# The pipeline with its command line, `lookbook`. From the root of the repository:
#   docker build --platform linux/amd64 --file k8s/images/pipeline.Dockerfile --tag lookbook/pipeline:0.2.0 .
ARG PYTHON_IMAGE=docker.io/library/python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS environment
# One package, pyfarmhash, has no wheel. What the compiler leaves behind runs on the same image without it.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
COPY requirements/pipeline-py313.txt /build/
# Everything is locked with its hash; pip itself stays behind.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --require-hashes --requirement /build/pipeline-py313.txt
WORKDIR /build/lookbook
COPY README.md setup.py ./
COPY components components
COPY pipeline pipeline
COPY schema schema
COPY serving serving
# Built with the locked setuptools, so that nothing unlocked is fetched.
RUN pip --python /opt/venv/bin/python install --no-cache-dir --no-deps --no-build-isolation .

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Lookbook pipeline" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=environment /opt/venv /opt/venv
# HOME is where libraries put their caches; everywhere else nothing need be written.
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    TF_CPP_MIN_LOG_LEVEL=3
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["/opt/venv/bin/lookbook"]
