"""The network: links by laser and radio, who sees whom, meshes, routes, contacts with the ground, and what they carry.

It takes terminals, positions and sites as arrays and gives budgets, rates, delays and bits as arrays. It leaves out
protocols: a rate is what the physical link carries with its margin, and a route is a path, not a queue of packets.
"""
