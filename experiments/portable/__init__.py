"""The model as it leaves the project: pictures in a table in, readings out, with a copy of the code that this takes."""
