"""The model-quality exporter: predictions and labels come in, accuracy and drift go out as metrics."""
