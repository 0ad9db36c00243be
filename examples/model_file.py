# The model file without facelocus, in Python: pip install numpy onnxruntime
#   python model_file.py MODEL.onnx FACES.npy    (uint8 N x 218 x 178 x 3, RGB, aligned)
import json
import sys

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
names = json.loads(session.get_modelmeta().custom_metadata_map["facelocus"])["attributes"]["names"]
probabilities, masks = session.run(["probabilities", "masks"], {"images": np.load(sys.argv[2])})
for face in probabilities:
    print({name: round(float(probability), 3) for name, probability in zip(names, face, strict=True)})
