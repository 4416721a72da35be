"""Floor 4: recipes, flows and the command line."""
