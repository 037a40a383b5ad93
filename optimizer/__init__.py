"""Thinks: forecasts, sizes, prices and decides. Pure: no I/O, no clock, no unseeded randomness."""
