"""Pixels in, logits out: preprocessing, backbones, heads, nearest pictures, signatures."""
