import Papa from "papaparse";

import { judge } from "../answers/verdict";
import { type Answered, type Labels, isCorrected, labelsOf } from "../pictures/picture";

/** The columns of styles.csv, in its order; an attribute of another column stands behind them. */
export const COLUMNS = [
  "id",
  "gender",
  "masterCategory",
  "subCategory",
  "articleType",
  "baseColour",
  "season",
  "year",
  "usage",
  "productDisplayName",
] as const;

/** How one begins; the rest may have lines, which the library's own pattern has not. */
const FORMULA = /^[=+\-@\t\r]/;

export type Row = Record<(typeof COLUMNS)[number], string> & Record<string, string>;

/** A row for each picture that has an article type: a person's labels, else the answer's. */
export function toRows(pictures: Answered[]): Row[] {
  return labelled(pictures).map(row);
}

/** The rows as styles.csv; no cell can run as a formula in a spreadsheet. */
export function toCsv(pictures: Answered[]): string {
  const rows = toRows(pictures);
  const fields = [...new Set([...COLUMNS, ...rows.flatMap(Object.keys)])];
  return `${Papa.unparse({ fields, data: rows }, { newline: "\n", escapeFormulae: FORMULA })}\n`;
}

/** The rows as JSON, each with what was answered and by which release. */
export function toJson(pictures: Answered[], typeThreshold: number | null): string {
  const entries = labelled(pictures).map(({ id, labels, picture }) => ({
    ...row({ id, labels, picture }),
    file: picture.name,
    checked: picture.checked !== null,
    corrected: isCorrected(picture),
    answer: {
      path: picture.state.answer.path,
      article_type: picture.state.answer.joint.article_type,
      confidence: picture.state.answer.joint.confidence,
      familiarity: picture.state.answer.familiarity ?? null,
      review: judge(picture.state.answer, typeThreshold).reasons,
      attributes: picture.state.answer.attributes.map(({ head, label, confidence, review }) => ({
        head,
        label,
        confidence,
        review,
      })),
      release: picture.state.answer.release,
      request_id: picture.state.answer.request_id,
    },
  }));
  return `${JSON.stringify(entries, null, 2)}\n`;
}

interface Labelled {
  id: string;
  labels: Labels;
  picture: Answered;
}

function labelled(pictures: Answered[]): Labelled[] {
  const ids = uniqueIds(pictures.map(({ name }) => name));
  return pictures.flatMap((picture, index) => {
    const labels = picture.checked ?? labelsOf(picture.state.answer);
    return labels ? [{ id: ids[index] ?? "", labels, picture }] : [];
  });
}

function row({ id, labels, picture }: Labelled): Row {
  const empty = Object.fromEntries(COLUMNS.map((column) => [column, ""])) as Row;
  const columns = picture.state.answer.attributes.map(({ head, column }) => [
    column,
    labels.attributes[head] ?? "",
  ]);
  return {
    ...empty,
    ...(Object.fromEntries(columns) as Record<string, string>),
    id,
    masterCategory: labels.master_category ?? "",
    subCategory: labels.sub_category ?? "",
    articleType: labels.article_type,
    productDisplayName: picture.productName,
  };
}

/**
 * File names → ids: `images/<id>.jpg` is where training looks. Names that occur again get a number, with which they are
 * called as no other file.
 */
function uniqueIds(names: string[]): string[] {
  const stems = names.map((name) => name.replace(/\.[^.]+$/, "").trim() || "picture");
  const others = new Set(stems);
  const taken = new Set<string>();
  return stems.map((stem) => {
    let id = stem;
    for (let n = 2; taken.has(id) || (id !== stem && others.has(id)); n++) id = `${stem}-${n}`;
    taken.add(id);
    return id;
  });
}
