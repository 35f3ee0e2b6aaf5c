"""What people decided about answers, as files: a review queue writes them, a catalogue takes them in.

::

    <folder>/corrections.csv               a row a decision
    <folder>/pictures/<sha256>.<ext>       each picture once, whoever decided what about it

Columns of ``corrections.csv``, besides those of :class:`Correction`: one for each level of the taxonomy, by the name of
its head, from the top down; then the columns of attributes, as ``styles.csv`` names them. What is not said is empty.
"""

from schema.corrections.correction import (
    ACCEPTED,
    AUDIT,
    CORRECTED,
    DECISIONS,
    NEW_LABEL,
    PAGE,
    PATH_SEPARATOR,
    PICTURES_DIR,
    REVIEW,
    SOURCES,
    UNKNOWN,
    Correction,
    Corrections,
    CorrectionsError,
    LineFault,
    level_names,
    now,
    picture_name,
)
from schema.corrections.files import (
    CORRECTIONS_CSV,
    parse_corrections,
    read_corrections,
    read_picture,
    write_corrections,
)

__all__ = [
    "ACCEPTED",
    "AUDIT",
    "CORRECTED",
    "CORRECTIONS_CSV",
    "DECISIONS",
    "NEW_LABEL",
    "PAGE",
    "PATH_SEPARATOR",
    "PICTURES_DIR",
    "REVIEW",
    "SOURCES",
    "UNKNOWN",
    "Correction",
    "Corrections",
    "CorrectionsError",
    "LineFault",
    "level_names",
    "now",
    "parse_corrections",
    "picture_name",
    "read_corrections",
    "read_picture",
    "write_corrections",
]
