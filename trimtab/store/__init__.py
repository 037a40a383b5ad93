"""Memory between cycles: recommendations, costs per day, reports, events and alerts (SQLAlchemy)."""
