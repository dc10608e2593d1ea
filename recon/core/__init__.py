"""What reconciliation decides, and nothing of how it reads or acts.

Pure: no NautilusTrader, no I/O, no clock, no asyncio.  Facts come in, actions and
discrepancies go out, so that every rule can be tested by a table or by Hypothesis.
"""
