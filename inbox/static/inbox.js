// What the pages do beyond links and forms: keys, saving while somebody types, and news as it comes.
// Without it everything can be read and decided all the same.
"use strict";

document.documentElement.classList.add("scripted");

const root = document.documentElement.dataset.root;
const token = document.body.dataset.token;
const byId = (id) => document.getElementById(id);
const live = byId("live");

// say tells people, and those who listen to the page, what happened. A button may offer to act on it.
function say(text, label, act) {
  if (!live) return;
  live.textContent = text;
  if (label) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", act);
    live.append(button);
  }
  clearTimeout(say.timer);
  if (!label) say.timer = setTimeout(() => { live.textContent = ""; }, 6000);
}

// parse makes nodes of a page that this server wrote. Scripts in it would not run.
const parse = (html) => new DOMParser().parseFromString(html, "text/html");

// --- Saving while somebody types.

const draftForm = byId("draft-form");
const text = byId("text");
let dirty = false;
let saving = null;
let timer = 0;

async function save() {
  clearTimeout(timer);
  if (!draftForm || !dirty || saving) return saving;
  dirty = false;
  const body = new URLSearchParams(new FormData(draftForm));
  saving = fetch(draftForm.dataset.autosave, { method: "POST", body, headers: { Accept: "application/json" } })
    .then(async (response) => {
      const answer = await response.json();
      if (response.status === 409) {
        byId("saved").textContent = (answer.by ? answer.by + " has changed this draft. " : "This draft has changed. ") +
          "Yours is not saved; send it, or save it, to see both.";
        return;
      }
      if (!response.ok) throw new Error(answer.error);
      draftForm.elements.expected.value = answer.expected;
      byId("saved").textContent = answer.expected ? "Edit saved, " + answer.at + "." : "";
      byId("diff").innerHTML = answer.diff;
    })
    .catch((error) => {
      dirty = true;
      byId("saved").textContent = "Not saved: " + (error.message || "no connection") + ".";
    })
    .finally(() => { saving = null; });
  return saving;
}

if (draftForm && text && !text.readOnly) {
  if (byId("draft").dataset.status === "Waits for you") {
    text.addEventListener("input", () => {
      dirty = true;
      clearTimeout(timer);
      timer = setTimeout(save, 800);
    });
    text.addEventListener("blur", save);
  }
  // A save on its way would change what the form expects: it waits for its end.
  draftForm.addEventListener("submit", (event) => {
    clearTimeout(timer);
    dirty = false;
    if (!saving) return;
    event.preventDefault();
    const by = event.submitter;
    saving.finally(() => draftForm.requestSubmit(by));
  });
}

window.addEventListener("beforeunload", (event) => {
  const note = byId("note-text");
  if (dirty || (note && note.value && !note.form.dataset.sent)) event.preventDefault();
});
document.addEventListener("submit", (event) => {
  event.target.dataset.sent = "1";
  if (event.target !== draftForm) dirty = false;
});

// --- Keys.

const typing = (at) => at instanceof Element && at.closest("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("#queue > [data-conversation], #hits > [data-conversation]")];
let here = -1;

function go(step) {
  const all = rows();
  if (all.length === 0) return;
  here = Math.min(Math.max(here + step, 0), all.length - 1);
  all.forEach((row, i) => row.classList.toggle("here", i === here));
  const link = all[here].querySelector("[data-action=open]");
  link.focus();
  all[here].scrollIntoView({ block: "nearest" });
}

const click = (selector) => { const at = document.querySelector(selector); if (at) at.click(); return Boolean(at); };
function open(id, field) {
  const box = byId(id);
  if (!box) return;
  box.open = true;
  (field ? byId(field) : box.querySelector("button, input:not([type=hidden]), textarea")).focus();
}

const keys = {
  j: () => (byId("thread") ? click("#next") : go(1)),
  k: () => (byId("thread") ? click("#previous") : go(-1)),
  o: () => { const row = rows()[Math.max(here, 0)]; if (row) row.querySelector("[data-action=open]").click(); },
  q: () => click("#back"),
  a: () => click("#draft-form [data-action=approve]"),
  e: () => { if (text) { text.focus(); text.setSelectionRange(text.value.length, text.value.length); } },
  r: () => { const reason = byId("feedback"); if (reason) reason.focus(); },
  n: () => open("note", "note-text"),
  s: () => open("snooze"),
  u: () => click("#done [data-action=undo]") || click("[data-action=take-back]"),
  "/": () => byId("search").focus(),
  "?": () => byId("help").showModal(),
};
keys.Enter = (event) => {
  if (byId("thread") || here < 0 || event.target.closest("a, button, summary")) return false;
  keys.o();
  return true;
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const field = typing(event.target);
  if (event.key === "Escape" && field) { field.blur(); return; }
  if (field) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && field.form) {
      event.preventDefault();
      field.form.requestSubmit();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && event.key.length === 1 && !"jk".includes(event.key)) return;
  if (document.querySelector("dialog[open]")) return;
  const act = keys[event.key];
  if (act && act(event) !== false) event.preventDefault();
});

const help = byId("help-open");
if (help) help.addEventListener("click", keys["?"]);

// --- What is left of the time to undo.

setInterval(() => {
  for (const at of document.querySelectorAll("[data-countdown]")) {
    const left = Math.ceil((new Date(at.dataset.countdown) - Date.now()) / 1000);
    if (left > 90) continue;
    at.textContent = left > 0 ? left + " s" : "now";
    if (left <= -1) {
      const button = at.closest("#done")?.querySelector("[data-action=undo]");
      if (button) button.remove();
    }
  }
}, 1000);

// --- News.

let source = null;
const pause = byId("pause");
const paused = () => localStorage.getItem("inbox-paused") === "1";

// replace puts the parts of this page that have an id, as the server has them now, into their places.
async function replace(...ids) {
  const response = await fetch(location.href, { headers: { "X-Reload": "1" } });
  if (!response.ok) return false;
  const page = parse(await response.text());
  const focus = document.activeElement?.closest("[data-conversation]")?.dataset.conversation;
  for (const id of ids) {
    const now = page.getElementById(id);
    if (now && byId(id)) byId(id).replaceWith(document.adoptNode(now));
  }
  return focus;
}

let queueTimer = 0;
async function reloadQueue() {
  clearTimeout(queueTimer);
  queueTimer = setTimeout(async () => {
    const chosen = rows()[here]?.dataset.conversation;
    const focused = await replace("views", "queue", "pager");
    here = rows().findIndex((row) => row.dataset.conversation === chosen);
    if (here >= 0) rows()[here].classList.add("here");
    if (focused) document.querySelector(`#queue > [data-conversation="${focused}"] [data-action=open]`)?.focus();
  }, 700);
}

function showMessage(event) {
  const { seq, html, new: appended, theirs } = JSON.parse(event.data);
  const list = byId("messages");
  const now = parse(html).body.firstElementChild;
  const old = byId("m" + seq);
  const folded = old ? [...old.querySelectorAll("details")].map((d) => d.open) : [];
  document.adoptNode(now).querySelectorAll("details").forEach((d, i) => { d.open = Boolean(folded[i]); });
  if (old) old.replaceWith(now);
  else {
    const after = [...list.querySelectorAll("[data-seq]")].find((m) => Number(m.dataset.seq) > seq);
    list.insertBefore(now, after || null);
    list.querySelector(".empty")?.remove();
  }
  if (appended && theirs) say("A new message came.", "Show it", () => { now.scrollIntoView(); live.textContent = ""; });
}

function draftChanged(event) {
  const { Status, By } = JSON.parse(event.data);
  if (Status === "pending" && By === document.body.dataset.operator) return; // this page's own save
  if (dirty || (text && text === document.activeElement)) {
    say("The draft has changed meanwhile. What you typed stays.", "Load it anew", () => { dirty = false; location.reload(); });
    return;
  }
  say("The draft has changed.", "Load it", () => location.reload());
}

function listen() {
  if (source || !document.querySelector("[data-live]")) return;
  const thread = byId("thread");
  if (!thread) {
    source = new EventSource(root + "events");
    source.addEventListener("queue", reloadQueue);
    return;
  }
  source = new EventSource(root + thread.dataset.base + "/events?from=" + encodeURIComponent(listen.at || thread.dataset.position));
  source.addEventListener("message", (event) => {
    if (!event.data) return;
    listen.at = event.lastEventId;
    showMessage(event);
  });
  source.addEventListener("deleted", (event) => {
    listen.at = event.lastEventId;
    byId("m" + JSON.parse(event.data))?.remove();
  });
  source.addEventListener("head", (event) => {
    listen.at = event.lastEventId;
    if (document.querySelector(".branches")) say("Another branch is shown now.", "Load it", () => location.reload());
  });
  source.addEventListener("presence", (event) => {
    const chips = JSON.parse(event.data).map((name) => {
      const chip = document.createElement("span");
      const who = document.createElement("bdi");
      chip.className = "chip here";
      who.textContent = name;
      chip.append(who, " is here too");
      return chip;
    });
    byId("presence").replaceChildren(...chips);
  });
  source.addEventListener("draft", draftChanged);
  source.addEventListener("reload", () => say("The page is out of date.", "Load it anew", () => location.reload()));
  source.addEventListener("gone", () => { say("This conversation is gone."); source.close(); });
}

function quiet() {
  if (source) source.close();
  source = null;
}

function showPause() {
  if (!pause) return;
  pause.setAttribute("aria-pressed", String(paused()));
  pause.textContent = paused() ? "Updates paused" : "Pause updates";
}

if (pause) {
  pause.addEventListener("click", () => {
    localStorage.setItem("inbox-paused", paused() ? "0" : "1");
    showPause();
    if (paused()) { quiet(); return; }
    listen();
    if (!byId("thread")) reloadQueue();
  });
}
showPause();
if (!paused()) listen();
window.addEventListener("pagehide", quiet);
window.addEventListener("pageshow", (event) => { if (event.persisted && !paused()) listen(); });

// What is open has been read.
const shown = byId("thread");
if (shown && document.visibilityState === "visible") {
  fetch(root + shown.dataset.base + "/read", {
    method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams({ token, seq: shown.dataset.seq }),
  }).catch(() => {});
}
