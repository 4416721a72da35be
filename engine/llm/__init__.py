"""Language models that propose: endpoints, requests, replies, budget, and the record of every call."""
