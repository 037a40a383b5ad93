"""The HTTP surface: one module a subject, each with its `router`."""
