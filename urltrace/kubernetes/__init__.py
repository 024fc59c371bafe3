"""The objects of Kubernetes that lead a request from an Ingress to a pod."""
