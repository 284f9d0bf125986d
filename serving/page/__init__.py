"""The Gradio page; knows nothing of the API."""
