"""Names that other systems accept, made from the names that users gave.

A workload id may hold anything (`vision:digits`, quotes, unicode); a Kubernetes object or a file may
not. Two different ids never get the same name.
"""

from __future__ import annotations

import hashlib
import re

_LONGEST = 53  # a DNS label has 63 characters; ten are left for a prefix such as `keda-hpa-`
_DIGEST = 8
_LIKE_OURS = re.compile(r"-[0-9a-f]{8}$")  # an id that looks like a changed name is changed too, lest they meet


def safe_name(text: str) -> str:
    """A lower-case DNS label (RFC 1123) for `text`; where that changes it, a hash of `text` follows."""
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if slug and slug == text and len(slug) <= _LONGEST and not _LIKE_OURS.search(slug):
        return slug
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    return "-".join(part for part in (slug[: _LONGEST - _DIGEST - 1].strip("-") or "x", digest) if part)
