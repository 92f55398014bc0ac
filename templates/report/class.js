"use strict";
(() => {
  const table = document.querySelector("table.people");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const make = (name, more) => Object.assign(document.createElement(name), more);
  table.classList.add("live");

  const key = (row, column) => {
    const cell = row.cells[column];
    const value = cell.dataset.v;
    if (value === undefined) return cell.textContent.trim();
    return value === "" ? null : Number(value);
  };
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === "string") return sign * a.localeCompare(b, undefined, { numeric: true });
    return sign * (a - b);
  };
  heads.forEach((head, column) => {
    const button = make("button", { type: "button", className: "sort" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const text = rows.length === 0 || typeof key(rows[0], column) === "string";
      const first = text ? "ascending" : "descending";
      const other = text ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      rows.sort((a, b) => compare(key(a, column), key(b, column), sign));
      body.append(...rows);
    });
  });

  const tools = make("div", { className: "tools" });
  const label = make("label", { textContent: "Find " });
  const search = make("input", { type: "search", autocomplete: "off", spellcheck: false });
  const told = make("p", { className: "told" });
  told.setAttribute("role", "status");
  label.append(search);
  tools.append(label);
  const chosen = new Set();
  const update = () => {
    const words = search.value.trim().toLocaleLowerCase();
    let count = 0;
    for (const row of rows) {
      const flags = row.dataset.flags.split(" ");
      const one = chosen.size === 0 || flags.some((flag) => chosen.has(flag));
      row.hidden = !(one && row.dataset.who.includes(words));
      count += !row.hidden;
    }
    told.textContent = count === rows.length ? "" : `${count} of ${rows.length} are shown.`;
  };
  search.addEventListener("input", update);
  for (const item of document.querySelectorAll(".flags [data-flag]")) {
    const button = make("button", { type: "button", className: "flag" });
    button.setAttribute("aria-pressed", "false");
    button.append(...item.childNodes);
    item.append(button);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", String(on));
      if (on) chosen.add(item.dataset.flag);
      else chosen.delete(item.dataset.flag);
      update();
    });
  }
  document.querySelector(".flags").before(tools);
  table.parentElement.before(told);
})();
