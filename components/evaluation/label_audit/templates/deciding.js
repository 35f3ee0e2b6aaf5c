const decided = new Map();
const count = document.getElementById("count");
document.querySelectorAll("section").forEach(card => {
  const field = card.querySelector("input");
  const decide = label => {
    if (label) decided.set(card, label); else decided.delete(card);
    card.classList.toggle("decided", Boolean(label));
    count.textContent = `${decided.size} decided`;
  };
  card.querySelectorAll("button").forEach(button => button.addEventListener("click", () => {
    field.value = button.dataset.decision;
    decide(field.value);
  }));
  field.addEventListener("change", () => decide(field.value.trim()));
});
// A spreadsheet runs a cell that begins like a formula.
const inert = text => /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text;
const cell = value => `"${(typeof value === "string" ? inert(value) : String(value)).replaceAll('"', '""')}"`;
document.getElementById("download").addEventListener("click", () => {
  const rows = [...decided].map(([card, label]) => [...JSON.parse(card.dataset.row), label]);
  const text = [COLUMNS, ...rows].map(row => row.map(cell).join(",") + "\n").join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "decisions.csv";
  link.click();
});
