"""Floor 3: what people take out: SQL, packages, pictures and reports."""
