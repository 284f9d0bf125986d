"""The tables of the history. A change here needs a migration in migrations/versions."""

import sqlalchemy as sa

METADATA = sa.MetaData()

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite counts up by itself in plain integers only

predictions = sa.Table(
    "predictions",
    METADATA,
    sa.Column("id", Id, primary_key=True),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),  # within a batch
    sa.Column("answered_at", sa.Double, nullable=False),  # seconds since 1970, UTC
    sa.Column("source", sa.String(16), nullable=False),  # page, api or batch
    sa.Column("dataset", sa.String(32), nullable=False, server_default="mnist"),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("label", sa.String(32), nullable=False),  # empty when none was given
    sa.Column("confidence", sa.Float, nullable=False),  # 0 to 1
    sa.Column("milliseconds", sa.Float, nullable=False),
    sa.Column("model_version", sa.String(16), nullable=False),
    sa.Column("model_sha256", sa.String(64), nullable=False),
    sa.Column("client", sa.String(16), nullable=False),  # a keyed hash, never an address
    sa.Column("image", sa.LargeBinary),  # uint8 [H, W, C] of the data set, as raw bytes; null for a blank
    sa.Column("corrected", sa.String(32)),  # the right label, when someone gave it; such a row is never purged
    sa.UniqueConstraint("request_id", "position", name="uq_predictions_request"),
    sa.Index("ix_predictions_answered_at", "answered_at"),
)
