"""Imports a catalogue (``styles.csv`` and ``images/``) as TFX examples, and says what was wrong with it."""
