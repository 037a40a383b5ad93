"""Serves ONNX models over HTTP and exports what it does as metrics; imports nothing of Trimtab."""
