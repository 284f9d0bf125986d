"""The tables of the database. A change here needs a migration in migrations/versions."""

import sqlalchemy as sa

METADATA = sa.MetaData()

Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows itself in plain integers only

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
    sa.Column("label", sa.String(300), nullable=False),  # empty when none was named; a number has a line for each row
    sa.Column("confidence", sa.Float, nullable=False),  # 0 to 1
    sa.Column("milliseconds", sa.Float, nullable=False),
    sa.Column("model_version", sa.String(16), nullable=False),
    sa.Column("model_sha256", sa.String(64), nullable=False),
    sa.Column("client", sa.String(16), nullable=False),  # a keyed hash, never an address
    sa.Column("image", sa.LargeBinary),  # uint8 [H, W, C] of the data set, as raw bytes; null for a blank
    sa.Column("corrected", sa.String(300)),  # the right label, when someone gave another; such a row is never purged
    sa.Column("digits", sa.LargeBinary),  # of a number, instead of image: zlib of its digits' images, one after another
    sa.UniqueConstraint("request_id", "position", name="uq_predictions_request"),
    sa.Index("ix_predictions_answered_at", "answered_at"),
)

corrections = sa.Table(
    "corrections",
    METADATA,
    sa.Column("id", Id, primary_key=True),
    sa.Column("made_at", sa.Double, nullable=False),  # seconds since 1970, UTC
    sa.Column("dataset", sa.String(32), nullable=False),
    sa.Column("source", sa.String(16), nullable=False),  # page, api or upload
    sa.Column("client", sa.String(16), nullable=False),  # a keyed hash, never an address
    sa.Column("request_id", sa.String(64), nullable=False),  # of the answer, or of the upload
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("model_version", sa.String(16), nullable=False),
    sa.Column("given", sa.String(32), nullable=False),  # label of the answer, empty when none was named
    sa.Column("confidence", sa.Float, nullable=False),  # of the answer, 0 to 1
    sa.Column("proposed", sa.String(32), nullable=False),  # label as it was sent
    sa.Column("label", sa.String(32), nullable=False),  # after the review: as proposed, or relabelled
    sa.Column("state", sa.String(16), nullable=False),  # pending, accepted or dropped
    sa.Column("reviewed_at", sa.Double),
    sa.Column("asked_at", sa.Double),  # when the operator was asked whether the label is right
    sa.Column("confirmed_at", sa.Double),  # when the operator said that it is
    sa.Column("digest", sa.String(64), nullable=False),  # SHA-256 of the image
    sa.Column("image", sa.LargeBinary, nullable=False),  # uint8 [H, W, C] of the data set, as raw bytes
    sa.Column("drawing", sa.LargeBinary),  # PNG of what was drawn or sent
    sa.Column("network", sa.String(16), nullable=False, server_default=""),  # a keyed hash; empty: nobody's share
    # A client that corrects the same image again has changed its mind.
    sa.UniqueConstraint("dataset", "digest", "client", name="uq_corrections_image"),
    sa.Index("ix_corrections_state", "dataset", "state"),
)

shared_answers = sa.Table(
    "shared_answers",
    METADATA,
    sa.Column("token", sa.String(64), primary_key=True),  # the secret part of the link
    sa.Column("request_id", sa.String(64), nullable=False),  # of the answer
    sa.Column("shared_at", sa.Double, nullable=False),  # seconds since 1970, UTC
    sa.Column("client", sa.String(16), nullable=False),  # a keyed hash, never an address
    sa.Column("network", sa.String(16), nullable=False),  # likewise
    sa.Column("drawing", sa.LargeBinary, nullable=False),  # WebP
    sa.UniqueConstraint("request_id", name="uq_shared_answers_request"),
)

retrainings = sa.Table(
    "retrainings",
    METADATA,
    sa.Column("id", Id, primary_key=True),
    sa.Column("active", sa.Integer),  # 1 while it waits or runs, else null
    sa.Column("cancelled", sa.Boolean, nullable=False),  # whether it was asked to end
    sa.Column("dataset", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("started_at", sa.Double, nullable=False),  # of its latest attempt, before that asked for; since 1970, UTC
    sa.Column("seen_at", sa.Double, nullable=False),  # last heartbeat
    sa.Column("ended_at", sa.Double),
    sa.Column("progress", sa.Float, nullable=False),  # 0 to 1
    sa.Column("remaining", sa.Float),  # s, estimated
    sa.Column("corrections", sa.Integer, nullable=False),
    sa.Column("epochs", sa.JSON, nullable=False),  # of each finished one: loss and accuracy
    sa.Column("log", sa.JSON, nullable=False),  # its last lines
    sa.Column("reason", sa.Text, nullable=False),  # why it ended as it did
    sa.Column("version", sa.String(16), nullable=False),  # the registered result, empty if none
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("differences", sa.JSON, nullable=False),  # the gate's table
    sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),  # how often it was begun
    sa.UniqueConstraint("dataset", "active", name="uq_retrainings_dataset"),  # nulls are all different
)

trainers = sa.Table(  # one row for all of them
    "trainers",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("seen_at", sa.Double, nullable=False),  # when a trainer of its own last looked for work
)

promotions = sa.Table(
    "promotions",
    METADATA,
    sa.Column("id", Id, primary_key=True),
    sa.Column("dataset", sa.String(32), nullable=False),
    sa.Column("version", sa.String(16), nullable=False),
    sa.Column("run_id", sa.String(64), nullable=False),
    sa.Column("at", sa.Double, nullable=False),  # seconds since 1970, UTC
    sa.Column("by", sa.String(16), nullable=False),  # gate, hand, rollback or start
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("data_digest", sa.String(64), nullable=False),  # SHA-256
    sa.Column("corrections", sa.Integer, nullable=False),  # accepted ones among the data
    sa.UniqueConstraint("dataset", "version", "at", name="uq_promotions_moment"),
)
