"""The camera: photograph -> faces -> attributes."""
