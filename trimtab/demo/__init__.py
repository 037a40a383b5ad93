"""The demonstration: the main job on bundled real history, with real servers, from one command."""
