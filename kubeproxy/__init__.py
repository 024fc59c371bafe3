"""What kube-proxy has written into each node's kernel, against what the API knows."""
