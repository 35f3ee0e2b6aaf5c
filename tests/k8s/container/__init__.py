"""The images built and run by podman, where it is installed."""
