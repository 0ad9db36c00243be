"""A library: what is known of the faces in a person's photographs, kept up to date and ready to be searched."""
