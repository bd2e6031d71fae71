"""Engines: what satellites' processes run on. The coordinator's commands go in, what processes say comes out.

`local` runs a process each on this machine and needs nothing; `ray` runs an actor each on a cluster.
"""
