"""What a trainer shows of a sample, and whether that is enough to answer it: profiles, samplers, resizing, the verdict."""
