"""The process: command line, settings, wiring, scheduler, API, store and web page."""
