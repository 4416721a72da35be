"""Frame plans: which frames of a medium a model is shown, as a pure function of the medium, scores, a budget and a seed."""
