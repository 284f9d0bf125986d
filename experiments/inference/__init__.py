"""Run an exported model on LiteRT; nothing here imports TensorFlow or MLflow."""
