"""A deterministic simulation of NautilusTrader nodes on Binance, and its test harness."""
