"""Serve the usual Gradio demo to compare with: `python -m benchmarks.plain_page PORT`.

The same network and preprocessing; everything else is Gradio's default.
"""

import sys
from typing import Any

import gradio as gr
import keras
import numpy as np

from experiments.preprocessing.drawings import prepare_drawing
from settings import Settings


def main() -> None:
    """Serve the page until interrupted."""
    model = keras.models.load_model(Settings().models_dir / "mnist" / "model.keras")

    def predict(drawing: dict[str, Any]) -> dict[str, float]:
        image = prepare_drawing(drawing["composite"])
        if image is None:
            return {}
        probabilities = np.asarray(model(image[np.newaxis], training=False))[0]
        return {str(digit): float(probabilities[digit]) for digit in range(10)}

    gr.Interface(predict, gr.Sketchpad(), gr.Label()).launch(server_port=int(sys.argv[1]), quiet=True)


if __name__ == "__main__":
    main()
