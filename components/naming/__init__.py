"""What a product's name says of it: the model of names, how it is learnt, and how much it counts."""
