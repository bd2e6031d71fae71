"""Work as it is asked for: job files, traces of requests to a served model, and how long each request waits.

Takes files in a public format, or a count and a rate; gives arrival times (s) and lengths (tokens) as arrays, and
percentiles of latency from service times that somebody else measured. Leaves out what the requests say.
"""

from skyhall.work.queueing import Latencies, latencies
from skyhall.work.traces import Trace, read_trace, synthetic_trace

__all__ = ["Latencies", "Trace", "latencies", "read_trace", "synthetic_trace"]
