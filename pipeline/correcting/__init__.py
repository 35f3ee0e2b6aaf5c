"""From decisions of people back into a catalogue: read → plan → write; the catalogue that was given is only read."""
