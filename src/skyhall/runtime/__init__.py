"""A job on a process for each satellite: what the sky lets it do, what is lost on the way, and a result with evidence.

A coordinator, which is a pure step from events to commands, keeps copies of a job in the light, has their results
compared or checked, and stores what was verified; engines run the satellites' processes. Takes a job, a scenario and
options (`run.run_job`); gives evidence beside the undisturbed run. Leaves out batteries, heat and competing jobs.
"""
