"""The words every part of Trimtab shares: frozen types, no I/O, no clock, no logging."""
