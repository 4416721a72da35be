"""Checks: annotators that measure samples, part of every recipe that has tasks."""
