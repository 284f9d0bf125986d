"""`python -m serving trainer` whose retrainings are those of quick_retraining."""

from serving.learning import trainer
from settings import Settings

if __name__ == "__main__":
    trainer.serve(Settings(), ("-m", "tests.helpers.quick_retraining"))
