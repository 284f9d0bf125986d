"""An exported model and its answers, on LiteRT; nothing here imports TensorFlow or MLflow."""
