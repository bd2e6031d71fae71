"""Links between satellites and to the ground: who sees whom, over which mesh, along which route, how fast.

Takes positions, patterns and figures of terminals as arrays; gives links, routes, delays, rates and contacts as arrays.
Leaves out queues, protocols and the traffic itself: a delay is that of light, a rate that of the link.
"""
