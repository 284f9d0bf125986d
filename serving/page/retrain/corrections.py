"""The database's corrections, for the sections of the Retrain tab."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.services import Services
    from serving.storage.corrections import Corrections


def open_corrections(services: "Services") -> "Corrections":
    """Raises StoreError."""
    from serving.storage.corrections import Corrections  # SQLAlchemy, which would slow down the start of the page

    return Corrections(services.database)
