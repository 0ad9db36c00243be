"""Faces over HTTP: a server for photographs and for a library, and the page that it shows."""
