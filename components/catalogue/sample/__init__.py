"""Draws catalogues of product pictures, so that Lookbook runs without anybody's data."""

from components.catalogue.sample.catalogue import draw_catalogue, draw_held_out

__all__ = ["draw_catalogue", "draw_held_out"]
