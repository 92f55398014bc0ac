// Keys for whoever marks all day, and the sum as it is chosen. Everything works without it.

const form = document.querySelector("[data-mark]");
const comment = form.querySelector("[data-comment]");
const total = form.querySelector("[data-total]");
const items = [...form.querySelectorAll("[name=item]")];
const adjustment = form.querySelector("[name=adjustment]");
const keys = document.querySelector("[data-keys]");

function add() {
  const most = Number(total.dataset.most);
  let points = Number(total.dataset.begins);
  for (const item of items) if (item.checked) points += Number(item.dataset.points);
  points += Number(adjustment.value.replace(",", ".")) || 0;
  total.textContent = String(Math.round(Math.min(Math.max(points, 0), most) * 100) / 100);
}
form.addEventListener("input", add);

const said = form.querySelector("[data-said]");
said?.addEventListener("change", () => {
  if (!said.value) return;
  comment.value = comment.value ? `${comment.value}\n${said.value}` : said.value;
  said.value = "";
});

keys.checked = localStorage.getItem("mark-keys") !== "off";
keys.addEventListener("change", () => localStorage.setItem("mark-keys", keys.checked ? "on" : "off"));

const follow = (name) => document.querySelector(`[data-${name}]`)?.click();
addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === "Enter") return form.requestSubmit();
  if (!keys.checked || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return document.activeElement?.blur();
  if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
  const digit = "123456789".indexOf(event.key);
  if (digit >= 0 && items[digit]) {
    items[digit].checked = !items[digit].checked;
    add();
  } else if (event.key === "c") comment.focus();
  else if (event.key === "s") form.requestSubmit();
  else if (event.key === "n") follow("after");
  else if (event.key === "p") follow("before");
  else if (event.key === "u") follow("unmarked");
  else if (event.key === "?") document.querySelector("[data-help]").open = true;
  else return;
  event.preventDefault();
});
