"""What one replica carries within its latency SLO: declared, or learned from production."""

from __future__ import annotations

from optimizer.capacity.options import CapacityOptions, DriftOptions, TokenOptions
from optimizer.capacity.study import CapacityStudy, studied
from optimizer.capacity.telling import model_json, reasons_of, study_json
from optimizer.capacity.tokens import UsualRequest, Work, in_usual_requests

__all__ = [
    "CapacityOptions",
    "CapacityStudy",
    "DriftOptions",
    "TokenOptions",
    "UsualRequest",
    "Work",
    "in_usual_requests",
    "model_json",
    "reasons_of",
    "studied",
    "study_json",
]
