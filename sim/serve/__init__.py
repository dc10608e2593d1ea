"""A fake Binance that anybody's client can be pointed at: ``recon serve``."""
