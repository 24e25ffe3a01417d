"""A stand-in for HostUp's support API, for development without an account and for tests.

A real HTTP server on the loopback interface with about 120 made-up tickets in memory. It can be told to
fail in every way that a network, a proxy or HostUp itself can. README.md says how to use it.
"""
