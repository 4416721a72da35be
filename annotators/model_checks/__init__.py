"""Checks of samples that ask a model: on where the recipe names an endpoint for their role."""
