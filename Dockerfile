# The page with the shipped model:  docker run -p 7860:7860 -v mnist-state:/state mlops-mnist
# With --target serving it lacks what trains models: for replicas that have a trainer beside them.
FROM python:3.11-slim AS base

# All that the running project writes goes to /state, a volume owned by its user.
RUN useradd --create-home --no-log-init --uid 10001 demo \
    && install --directory --owner=demo /state
WORKDIR /app

# The large layers first: they stay cached until a pin changes.
COPY requirements-serving.txt requirements-training.txt constraints.txt ./
RUN pip install --no-cache-dir -r requirements-serving.txt

ENV PYTHONUNBUFFERED=1 \
    DEMO_HOST=0.0.0.0 \
    DEMO_PORT=7860 \
    DEMO_DATA_DIR=/state/data \
    DEMO_ARTIFACT_DIR=/state/mlartifacts \
    MLFLOW_TRACKING_URI=sqlite:////state/mlflow.db
VOLUME /state
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['DEMO_PORT'], timeout=4)"]
CMD ["python", "demo.py"]

FROM base AS serving
COPY . .
USER 10001

FROM base
RUN pip install --no-cache-dir -r requirements-training.txt
COPY . .
USER 10001
