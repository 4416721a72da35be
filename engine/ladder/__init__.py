"""The ladder: baselines that must not solve a task, each allowed to look at one thing only."""
