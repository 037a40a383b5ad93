"""Which workloads live together on which hosts, and who pays what of a host's bill, one pool at a time."""
