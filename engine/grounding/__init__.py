"""Where a query happens in a window: localisers, unique, repeated or absent, and the windows that are shown around it."""
