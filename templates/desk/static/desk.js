// What script adds to pages that work without it: times in the reader's own zone, a try that is
// followed, files that are dropped, and a button that can be pressed once.

for (const time of document.querySelectorAll("time[data-local]")) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.valueOf())) continue;
  time.title = time.textContent;
  time.textContent = at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

const busy = (form, is) => {
  form.toggleAttribute("data-sent", is);
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-busy", is);
};
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.hasAttribute("data-sent")) return event.preventDefault();
    busy(form, true);
    // What is answered by a file leaves its page as it is: it may be sent again after a while.
    if (form.querySelector("[name=as]:not([value=mail])")) setTimeout(busy, 3000, form, false);
  });
}
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.forms) busy(form, false);
});

const followed = document.querySelector("[data-follow]");
if (followed) {
  const say = followed.querySelector("[data-say]");
  const bar = followed.querySelector("[data-bar]");
  const stale = followed.querySelector("[data-stale]");
  const fresh = followed.querySelector("[data-fresh]");
  const known = (isFresh) => {
    stale.hidden = isFresh;
    if (fresh) fresh.hidden = !isFresh;
  };
  let pause = 1000;
  let events;
  const hear = (event) => {
    pause = 1000;
    known(true);
    const news = JSON.parse(event.data);
    if (["judged", "failed", "superseded"].includes(news.state)) {
      events.close();
      location.reload();
      return;
    }
    say.textContent = news.says;
    if (news.cell && news.cell <= news.cells) bar.value = news.cell / news.cells;
    else bar.removeAttribute("value");
  };
  // A browser gives up for good on any answer but 200, and asks all too often without one.
  const connect = () => {
    events = new EventSource(followed.dataset.follow);
    events.onmessage = hear;
    events.onopen = () => known(true);
    events.onerror = () => {
      events.close();
      known(false);
      setTimeout(connect, pause * (1 + Math.random() / 2));
      pause = Math.min(2 * pause, 30000);
    };
  };
  connect();
}

const drop = document.querySelector("[data-drop]");
if (drop) {
  const input = drop.querySelector("input[type=file]");
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, () => drop.classList.add("over"));
  }
  for (const kind of ["dragleave", "drop"]) {
    drop.addEventListener(kind, () => drop.classList.remove("over"));
  }
  // A file that is let go beside the field must not open in place of the page.
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      if (!drop.contains(event.target)) event.dataTransfer.dropEffect = "none";
    });
  }
  drop.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length) input.files = event.dataTransfer.files;
  });
}
