"""Online: what answers people. Nothing here imports TensorFlow or MLflow."""
