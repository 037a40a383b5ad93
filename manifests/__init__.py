"""Renders what Kubernetes acts on: HorizontalPodAutoscaler and KEDA ScaledObject."""
