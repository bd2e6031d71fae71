"""Links between satellites and to the ground: budgets, meshes, routes, passes, weather and what comes down.

Takes positions in metres (TEME), sites on the WGS 84 ellipsoid, terminals and antennas as plain numbers; gives rates,
routes, the times of passes and bits. Leaves out who wants the bits and what they are paid for.
"""
