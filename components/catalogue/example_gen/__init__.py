"""StylesExampleGen: a catalogue becomes TFRecords."""
