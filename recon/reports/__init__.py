"""Reads any execution client through NautilusTrader's public report methods."""

from recon.reports.reader import ReportsReader

__all__ = ["ReportsReader"]
