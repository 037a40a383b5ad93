"""The HTTP API (FastAPI): the newest recommendations and what belongs to them, always from the store."""
