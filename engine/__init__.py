"""Floor 2: the annotator contract, the dataset store, planning, Ray execution and the media layer."""
