"""Who pays what of a host: by use at the peak, and nobody more than it would pay by itself."""

from __future__ import annotations

import math

import numpy as np

from domain.load import Floats

NO_USE = 1e-9  # of what the largest of them uses


def bills(usd: float, shares: Floats, most: Floats) -> Floats:
    """What each tenant pays of `usd`: in proportion to its share, at most `most`; they add up to `usd`.

    Whoever meets his limit pays that, and the others share what is left, again by use (water-filling). ValueError
    where all limits together are below `usd`: such a host is dearer than having none.
    """
    if usd > math.fsum(most) * (1 + 1e-9) + 1e-9:
        raise ValueError(f"{math.fsum(most):.2f} USD are too little for a host of {usd:.2f}")
    used = shares > NO_USE * shares.max(initial=0.0)
    weights = np.where(used, shares, 0.0) if used.any() else np.ones_like(shares)
    paid, open_ = np.zeros_like(most), np.ones(len(most), dtype=np.bool_)
    left = usd
    while open_.any():
        total = float(weights[open_].sum())
        wanted = left * (weights / total) if total > 0 else np.full_like(most, left / open_.sum())
        over = open_ & (wanted > most)
        if not over.any():
            paid[open_] = wanted[open_]
            break
        paid[over] = most[over]
        open_ &= ~over
        left = usd - math.fsum(paid)
    paid[int(np.argmax(paid))] += usd - math.fsum(paid)  # what rounding left
    return paid
