"""Floor 1: table schemas, sample and markup types, spans, boxes, codecs, metrics and pure verifying functions."""
