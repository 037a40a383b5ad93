"""Scaling manifests for recommendations, as text: for Kubernetes, and for Amazon ECS."""

from manifests.options import Form, ManifestOptions
from manifests.render import render

__all__ = ["Form", "ManifestOptions", "render"]
