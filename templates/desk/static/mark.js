// Keys for whoever marks all day, and the sum as it is chosen. Everything works without it.

const form = document.querySelector("[data-mark]");
const comment = form.querySelector("[data-comment]");
const total = form.querySelector("[data-total]");
const bound = form.querySelector("[data-bound]");
const items = [...form.querySelectorAll("[name=item]")];
const adjustment = form.querySelector("[name=adjustment]");

// As the server scores it: the items within 0 and all points, then the caps, then what is beside.
function add() {
  const most = Number(total.dataset.most);
  const within = (points) => Math.min(Math.max(points, 0), most);
  const own = items.filter((item) => item.checked);
  const sum = own.reduce((points, item) => points + Number(item.dataset.points), Number(total.dataset.begins));
  const caps = own.filter((item) => item.dataset.cap).map((item) => Number(item.dataset.cap));
  const beside = Number(adjustment.value.replace(",", "."));
  const shown = (points) => String(Math.round(points * 100) / 100);
  const points = Math.min(within(sum), ...caps);
  const all = points + beside;
  total.textContent = Number.isNaN(all) ? "–" : shown(within(all));
  if (Number.isNaN(all)) bound.textContent = "that is no number";
  else if (points !== sum) bound.textContent = `the items: ${shown(sum)}, so ${shown(points)}`;
  else if (within(all) !== all) bound.textContent = `${shown(all)}, so ${shown(within(all))}`;
  else bound.textContent = "";
}
form.addEventListener("input", add);

const before = form.querySelector("[data-said]");
before?.addEventListener("click", (event) => {
  const said = event.target.closest(".said");
  if (!said) return;
  comment.value = comment.value ? `${comment.value}\n\n${said.textContent}` : said.textContent;
  before.open = false;
  comment.focus();
  comment.dispatchEvent(new Event("input", { bubbles: true }));
});

const previews = form.querySelector("[data-preview]");
const shown = form.querySelector("[data-shown]");
let asked = 0;
async function preview() {
  const mine = ++asked;
  const says = new URLSearchParams({ form: form.elements.form.value, comment: comment.value });
  let made;
  try {
    const answer = await fetch(previews.formAction, { method: "POST", body: says });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    made = page.querySelector(answer.ok ? "[data-shown]" : "main");
  } catch {} // no answer, which is said below
  if (mine !== asked) return;
  if (made) shown.replaceChildren(...made.childNodes);
  else shown.textContent = "There is no preview now: the desk can't be reached. Your words are still here.";
}
previews.type = "button";
previews.addEventListener("click", () => {
  shown.hidden = !shown.hidden;
  if (!shown.hidden) preview();
});
let pause;
comment.addEventListener("input", () => {
  if (shown.hidden) return;
  clearTimeout(pause);
  pause = setTimeout(preview, 800);
});

const help = document.querySelector("[data-help]");
const opener = document.querySelector("[data-open-help]");
opener.hidden = false;
opener.addEventListener("click", () => help.showModal());
const keys = help.querySelector("[data-keys]");
const tell = () => document.body.classList.toggle("no-keys", !keys.checked);
keys.checked = localStorage.getItem("mark-keys") !== "off";
keys.addEventListener("change", () => {
  localStorage.setItem("mark-keys", keys.checked ? "on" : "off");
  tell();
});
tell();

const follow = (name) => document.querySelector(`[data-${name}]`)?.click();
const ALONE = {
  a: () => adjustment.focus(),
  b: () => before && (before.open = !before.open),
  c: () => comment.focus(),
  n: () => follow("after"),
  p: () => follow("before"),
  s: () => form.requestSubmit(),
  u: () => follow("unmarked"),
  v: () => previews.click(),
  "?": () => help.showModal(),
};
addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]") || event.isComposing || event.repeat) return;
  if (event.ctrlKey && event.key === "Enter") return form.requestSubmit();
  if (event.key === "Escape") return document.activeElement?.blur();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (!keys.checked) return;
  const kinds = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
  if (event.target.closest?.(kinds)) return;
  const item = items["1234567890".indexOf(event.key)];
  if (item) {
    item.checked = !item.checked;
    item.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (Object.hasOwn(ALONE, event.key)) ALONE[event.key]();
  else return;
  event.preventDefault();
});
