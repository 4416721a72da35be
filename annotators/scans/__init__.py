"""Scans of rooms: what a source says in its own conventions, the checks that it means them, and the rows that follow."""
