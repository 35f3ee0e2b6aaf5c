// Which parts of a picture a label rests on: serving/merger/explain.py, at the size that the model sees.
import type { Size } from "./contract";

const COLOURS = 3;

export interface Grid {
  rows: number;
  columns: number;
}

/** Nearly square cells, at most so many. */
export function gridOver({ height, width }: Size, cells: number): Grid {
  const columns = Math.min(Math.max(Math.round(Math.sqrt((cells * width) / height)), 1), width, cells);
  return { rows: Math.min(Math.floor(cells / columns), height), columns };
}

/** The pixels once for each cell, with it and half a cell on every side hidden, row by row. */
export function* hidden(pixels: Float32Array, size: Size, grid: Grid): Generator<Float32Array> {
  const colour = edgeColour(pixels, size);
  const [height, width] = [size.height / grid.rows, size.width / grid.columns];
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const copy = pixels.slice();
      const bottom = Math.min(size.height, Math.round((row + 1.5) * height));
      const right = Math.min(size.width, Math.round((column + 1.5) * width));
      for (let y = Math.max(0, Math.round((row - 0.5) * height)); y < bottom; y++) {
        for (let x = Math.max(0, Math.round((column - 0.5) * width)); x < right; x++) {
          copy.set(colour, (y * size.width + x) * COLOURS);
        }
      }
      yield copy;
    }
  }
}

/** Median of the outermost pixels: mostly the background, so that hiding the background changes nothing. */
function edgeColour(pixels: Float32Array, { height, width }: Size): number[] {
  const edge: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (y === 0 || x === 0 || y === height - 1 || x === width - 1) edge.push((y * width + x) * COLOURS);
    }
  }
  return [0, 1, 2].map((colour) => {
    const levels = edge.map((at) => pixels[at + colour]!).toSorted((one, other) => one - other);
    return levels[Math.floor(levels.length / 2)]!;
  });
}
