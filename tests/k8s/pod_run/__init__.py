"""A cluster's worth of pods as local processes.

Takes rendered manifests and runs each container's own command, environment, configuration files and probes on loopback,
and does to them what kubelet, kube-proxy and the Deployment controller do: start, probe, restart, roll, drain, kill.

What is changed, because one machine is no cluster: a container's port becomes a free one of this machine (and so does
its number where the command or the environment names it), mounted paths become folders, a headless Service's name the
addresses of its pods, and programs of images those of the two environments here. TensorFlow Serving is
``tensorflow_model_server`` where that is installed, else the embedded model server. Users, read-only roots, memory
limits and network policies are not enforced.
"""
