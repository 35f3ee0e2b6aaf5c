"""Object stores for catalogues and releases that lie elsewhere."""

from tests.object_stores import bucket, gcs_endpoint, gcs_program, gs_bucket, s3_bucket, s3_endpoint

__all__ = ["bucket", "gcs_endpoint", "gcs_program", "gs_bucket", "s3_bucket", "s3_endpoint"]
