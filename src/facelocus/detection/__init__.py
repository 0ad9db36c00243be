"""Faces with five landmarks in a photograph: the networks of MTCNN on onnxruntime."""
