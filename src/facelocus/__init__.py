"""facelocus: forty facial attributes from a photograph, and where on the face each was seen."""
