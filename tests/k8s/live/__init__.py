"""What a real cluster loses when pods roll, die and multiply: ``make check-cluster``, on the cluster of KUBECONFIG."""
