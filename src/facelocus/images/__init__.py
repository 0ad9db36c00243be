"""Pictures: reading any file, warping a face into the frame, drawing what was found."""
