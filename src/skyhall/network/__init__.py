"""Links between satellites and to the ground: budgets, meshes, routes, passes, weather and what comes down.

Takes ranges, positions (m, TEME), sites over the WGS 84 ellipsoid and terminals as plain numbers; gives rates, delays,
routes, the times of passes and bits. Leaves out what the bits are for: who asks for them, and what they are worth;
packets, their queues and protocols.
"""
