"""What things cost: ``python -m sim.bench`` prints ``name: value`` lines.

`sim.bench.runs` measures the simulation, `sim.bench.starts` the reconciliation of a node:
`recon`, the released engine, and the *limit*, which is NautilusTrader alone.
"""
