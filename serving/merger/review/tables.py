"""The tables. A change here needs a migration beside the others in ``migrations/versions``; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

pictures = Table(
    "pictures",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
"""Bytes as they were sent, once however many cards show them."""

cards = Table(
    "cards",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", String(64), ForeignKey("pictures.sha256"), nullable=False),
    Column("release", String(32), nullable=False),
    Column("answer", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("format", String(16), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("caller", Text, nullable=False),
    Column("times", Integer, nullable=False),
    Column("first_at", Float, nullable=False),
    Column("touched_at", Float, nullable=False),
    Column("lease", String(32), nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("decided", Integer),
    UniqueConstraint("sha256", "release", name="cards_of_picture"),
    Index("cards_open", "decided", "confidence"),
    Index("cards_touched", "touched_at"),
)
"""A picture and what a release answered, so many ``times``. ``…_at`` are seconds since 1970, ``decided`` is the
version of the decision in force."""

reasons = Table(
    "reasons",
    metadata,
    Column("card_id", Integer, ForeignKey("cards.id", ondelete="CASCADE"), primary_key=True),
    Column("reason", String(64), primary_key=True),
)
"""Why a card is there, by the codes of the answer's review."""

decisions = Table(
    "decisions",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("undoes", Integer),
    Column("card_id", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("correction", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", String(40), nullable=False),
)
"""What was decided, undone and removed, by whom and when. Rows are added alone; they outlive their cards."""

counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""``decisions``: the highest version, whose row a decision holds until it is committed, so that versions come in order;
``dropped``: cards that made room undecided."""
