"""Work: what a job asks for, as people write it. It runs nothing."""
