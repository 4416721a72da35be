"""Finding benchmark footage and questions in ours: identifiers, copied pictures, 8-grams. Pure functions of rows."""
