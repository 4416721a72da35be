"""Floor 3: one module per annotator, task, importer and composer, found by file name."""
