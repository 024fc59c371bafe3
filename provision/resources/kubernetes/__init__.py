"""What kubectl applies: manifests, rollouts, and the mode of kube-proxy."""
