"""What a dataset is worth in figures: `chronotope report`, its page, and the short form on package cards."""
