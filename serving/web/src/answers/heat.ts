import type { Explanation } from "../api/contract";
import { percent } from "./text";

/** Less than this lost by the hottest cell, and no part of the picture decides. */
const NOTHING = 0.02;

/** Each cell's share of the greatest loss, 0 to 1; all 0 when no cell decides. */
export function shares({ heat }: Explanation): number[] {
  const highest = Math.max(...heat);
  return heat.map((loss) => (highest < NOTHING ? 0 : Math.max(0, loss) / highest));
}

/** Where the decisive part lies and what hiding it costs, for those who cannot see the colours. */
export function heatInWords(explanation: Explanation): string {
  const { heat, rows, columns, label, confidence } = explanation;
  const highest = Math.max(...heat);
  if (highest < NOTHING) return `No single part decides: whatever is hidden, the model stays with ${label}.`;
  const cell = heat.indexOf(highest);
  const place = placeOf(Math.floor(cell / columns) / (rows - 1), (cell % columns) / (columns - 1));
  const change = `from ${percent(confidence)} to ${percent(Math.max(0, confidence - highest))}`;
  return `${label} rests most on the ${place}: with that hidden, its confidence falls ${change}.`;
}

/** Fractions of height and width → "upper left", "centre", "lower edge" and so on. */
function placeOf(down: number, across: number): string {
  const vertical = third(down, ["upper", "", "lower"]);
  const horizontal = third(across, ["left", "", "right"]);
  if (!vertical && !horizontal) return "centre";
  if (!horizontal) return `${vertical} middle`;
  return vertical ? `${vertical} ${horizontal}` : `${horizontal} side`;
}

/** A grid of one row or column has no fraction; it is all middle. */
function third(fraction: number, [first, middle, last]: [string, string, string]): string {
  if (Number.isNaN(fraction)) return middle;
  return fraction < 1 / 3 ? first : fraction > 2 / 3 ? last : middle;
}
