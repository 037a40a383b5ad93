"""The web page: what is recommended, at a glance."""
