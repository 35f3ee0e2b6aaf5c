document.querySelectorAll("th button").forEach(button => button.addEventListener("click", () => {
  const cell = button.parentElement, body = cell.closest("table").tBodies[0];
  const index = [...cell.parentElement.children].indexOf(cell);
  const up = cell.getAttribute("aria-sort") !== "ascending";
  cell.parentElement.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
  cell.setAttribute("aria-sort", up ? "ascending" : "descending");
  const value = row => row.cells[index].textContent;
  const compare = (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
  [...body.rows].sort((a, b) => up ? compare(a, b) : compare(b, a)).forEach(row => body.append(row));
}));
