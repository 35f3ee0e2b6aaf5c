"""The Kubernetes manifests without a cluster: rendered, held to schemas and code, and run as processes."""
