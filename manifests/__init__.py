"""Kubernetes scaling manifests for recommendations, as text."""

from manifests.options import ManifestOptions
from manifests.render import render

__all__ = ["ManifestOptions", "render"]
