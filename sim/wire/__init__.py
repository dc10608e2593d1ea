"""Scenarios over real sockets: real processes, real time and a real Redis."""
