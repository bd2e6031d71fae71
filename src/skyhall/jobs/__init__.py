"""The jobs that ship: real work for satellites, small enough for a test and written to be replayed.

A job takes a configuration and a seed and gives a result that depends on nothing else: which data step `n` sees is a
function of the seed and `n`, so that any step can be done again, here or on another machine. Jobs know nothing of
faults, satellites or checkpoints; `skyhall.integrity` protects them from outside.
"""
