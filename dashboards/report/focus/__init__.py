"""The day's charges in the form of FOCUS 1.2, the FinOps Foundation's format of cost and usage data.

Prices times hours, not invoice lines: every row says so (`x_CostBasis`). Spot is read strictly: a list price is that of the
SKU "exclusive of any discounts", and FOCUS says that List Cost "cannot be used for calculating savings" from dynamic
pricing, so the four costs of a spot row are all the spot cost, and `x_OnDemandEquivalentCost` is for comparing.
"""

from dashboards.report.focus.files import focus_csv, focus_metadata

__all__ = ["focus_csv", "focus_metadata"]
