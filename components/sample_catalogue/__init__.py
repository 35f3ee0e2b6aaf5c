"""Draws catalogues of product pictures, so that Lookbook runs without anybody's data."""

from components.sample_catalogue.catalogue import draw_catalogue, draw_held_out

__all__ = ["draw_catalogue", "draw_held_out"]
