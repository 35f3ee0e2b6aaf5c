// Pixels as the models' own graph resizes them: tf.image.resize(antialias=True), then rounded. In floats throughout, since
// what a canvas resizes is rounded in between and looks different in each browser.

/** A picture of which rows can be had: RGBA, 0 to 255, opaque. */
export interface Rows {
  width: number;
  height: number;
  read(top: number, count: number): Uint8ClampedArray;
}

const COLOURS = 3;
const CHANNELS = 4;
/** Pixels read at a time. */
const STRIP = 1 << 20;

/** The picture at height × width, [height][width][3], whole numbers from 0 to 255. */
export function resized(picture: Rows, height: number, width: number): Float32Array {
  return across(down(picture, height), picture.width, height, width);
}

interface Triangle {
  first: number;
  weights: Float64Array;
}

/** What each of `size` pixels takes of `pixels`: triangles as wide as two pixels of whichever are larger. */
export function triangles(pixels: number, size: number): Triangle[] {
  const scale = pixels / size;
  const reach = Math.max(scale, 1);
  return Array.from({ length: size }).map((_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - reach));
    const last = Math.min(pixels, Math.ceil(centre + reach));
    const weights = Float64Array.from({ length: last - first }, (__, at) =>
      Math.max(0, 1 - Math.abs(first + at + 0.5 - centre) / reach),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Each column resized: [height][picture.width][3]. */
function down(picture: Rows, height: number): Float64Array {
  const line = picture.width * COLOURS;
  const sums = new Float64Array(height * line);
  const rows = Math.max(1, Math.floor(STRIP / picture.width));
  const kernels = triangles(picture.height, height);
  for (let top = 0; top < picture.height; top += rows) {
    const count = Math.min(rows, picture.height - top);
    const strip = picture.read(top, count);
    kernels.forEach(({ first, weights }, index) => {
      const from = Math.max(first, top);
      const to = Math.min(first + weights.length, top + count);
      for (let row = from; row < to; row++) {
        addLine(
          sums,
          index * line,
          strip,
          (row - top) * picture.width * CHANNELS,
          line,
          weights[row - first]!,
        );
      }
    });
  }
  return sums;
}

function addLine(
  sums: Float64Array,
  at: number,
  strip: Uint8ClampedArray,
  start: number,
  line: number,
  weight: number,
): void {
  for (let to = at, from = start; to < at + line; to += COLOURS, from += CHANNELS) {
    sums[to]! += weight * strip[from]!;
    sums[to + 1]! += weight * strip[from + 1]!;
    sums[to + 2]! += weight * strip[from + 2]!;
  }
}

/** Each row resized, and rounded. */
function across(sums: Float64Array, pixels: number, height: number, width: number): Float32Array {
  const kernels = triangles(pixels, width);
  const seen = new Float32Array(height * width * COLOURS);
  for (let row = 0; row < height; row++) {
    kernels.forEach(({ first, weights }, column) => {
      for (let colour = 0; colour < COLOURS; colour++) {
        let sum = 0;
        for (let at = 0; at < weights.length; at++) {
          sum += weights[at]! * sums[(row * pixels + first + at) * COLOURS + colour]!;
        }
        seen[(row * width + column) * COLOURS + colour] = halfToEven(sum);
      }
    });
  }
  return seen;
}

/** As TensorFlow rounds. */
function halfToEven(value: number): number {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}
