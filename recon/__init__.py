"""Order reconciliation for a live NautilusTrader node on Binance.

The public face of the package.  It holds nothing yet: the simulation that it will
be held to comes first.
"""
