"""Wrong options that are hard and provably wrong: one module per way of making them, and the tests that each must pass.

`vocabulary` names the kinds and what their margins mean; `texts`, `edits`, `spans` and `stills` propose; `falsity` says
why a proposal might be true after all, `style` why it would be told by its looks. All of it is pure: a task calls the
same functions when it writes a sample and when it checks one. Nothing here looks at footage, so what no annotator
recorded cannot be ruled out.
"""
