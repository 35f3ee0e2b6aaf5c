"""Photos into folders by what they show: a plan first, a journal before each file, and the way back."""
