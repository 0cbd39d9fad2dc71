// The page of the chat. The server's rows are the truth: what is shown comes from reading a chat
// and from the events that follow, never from what this page has sent.

const $ = (id) => document.getElementById(id);
const thread = $("thread"), scroller = $("scroller"), text = $("text");

let chat = null; // the chat that is shown: { id, title, messages, earlier }
let source = null; // its events
let views = new Map(); // id of a message → its latest state
let items = new Map(); // id of a message → its element
let lastSeq = 0; // that of the newest message on any branch
let read = 0; // how far this page has said that it was read
let structure = 0; // counts events after which the path has to be read again
let loading = null; // the promise of that, while it goes on

// ---------------------------------------------------------------- server
async function api(method, path, body) {
  const response = await fetch("api/" + path, { method, body: body && JSON.stringify(body) }).catch(() => {
    throw new Error("The server cannot be reached.");
  });
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw Object.assign(new Error(answer?.error || response.statusText), { status: response.status });
  return answer;
}

// attempt shows what went wrong, and says whether all went well.
const attempt = (work) => work().then(() => true, (error) => { toast(error.message); return false; });

// newKey names a message before it is sent, so that it is stored once however often it is sent.
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

// ---------------------------------------------------------------- elements
function el(tag, properties = {}, ...children) {
  const { label, on, data, ...rest } = properties;
  const node = Object.assign(document.createElement(tag), rest);
  if (label) node.ariaLabel = node.title = label;
  Object.assign(node.dataset, data);
  for (const [name, handler] of Object.entries(on || {})) node.addEventListener(name, handler);
  node.append(...children);
  return node;
}

const button = (label, sign, click, more) => el("button", { type: "button", label, textContent: sign, on: { click }, ...more });

let toastEnds;
function toast(words, action, act) {
  const hide = () => { $("toast").hidden = true; };
  clearTimeout(toastEnds);
  $("toast").replaceChildren(words, ...(action ? [" ", button(action, action, () => { hide(); act(); })] : []));
  $("toast").hidden = false;
  toastEnds = setTimeout(hide, 8000);
}

// ---------------------------------------------------------------- markdown
// blocks divides a text into paragraphs, lists and blocks of code. A block of code that is not
// closed goes to the end, so that it looks the same while it is written.
function blocks(source) {
  const result = [];
  let open = null; // the block that goes on
  for (const line of source.split("\n")) {
    const item = /^\s{0,3}(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/.exec(line);
    if (open?.kind === "code") {
      if (/^\s{0,3}```\s*$/.test(line)) open = null;
      else open.lines.push(line);
    } else if (/^\s{0,3}```/.test(line)) {
      result.push((open = { kind: "code", lines: [] }));
    } else if (item) {
      const kind = item[1] ? "ol" : "ul";
      if (open?.kind !== kind) result.push((open = { kind, lines: [], start: Number(item[1] || 1) }));
      open.lines.push(item[2]);
    } else if (line.trim() === "") {
      open = null;
    } else if (open?.kind === "p") {
      open.lines.push(line);
    } else if (open && /^\s/.test(line)) {
      open.lines[open.lines.length - 1] += "\n" + line.trim();
    } else {
      result.push((open = { kind: "p", lines: [line] }));
    }
  }
  return result;
}

function blockNode({ kind, lines, start }) {
  if (kind === "code") return el("pre", { tabIndex: 0 }, el("code", { textContent: lines.join("\n") }));
  if (kind === "p") return el("p", {}, ...inline(lines.join("\n")));
  return el(kind, kind === "ol" ? { start } : {}, ...lines.map((line) => el("li", {}, ...inline(line))));
}

// inline makes nodes of code, bold and links. Everything else is text, tags included.
function inline(source) {
  const nodes = [];
  const pattern = /`([^`\n]+)`|\*\*(?=\S)([^*]+?)\*\*|\[([^\]\n]+)\]\((https?:\/\/[^\s()]+)\)/g;
  let end = 0;
  for (const found of source.matchAll(pattern)) {
    nodes.push(source.slice(end, found.index));
    end = found.index + found[0].length;
    const [all, code, bold, words, address] = found;
    if (code) nodes.push(el("code", { textContent: code }));
    else if (bold) nodes.push(el("strong", {}, ...inline(bold)));
    else if (URL.canParse(address)) nodes.push(el("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, words));
    else nodes.push(all);
  }
  nodes.push(source.slice(end));
  return nodes;
}

// showText replaces the blocks that changed and leaves the others, with what is selected in them.
function showText(body, view) {
  if (body.shown === view.text) return;
  body.shown = view.text;
  if (view.role !== "assistant") {
    body.textContent = view.text;
    return;
  }
  const list = blocks(view.text).map((block) => ({ block, source: JSON.stringify(block) }));
  const old = body.sources || [];
  let same = 0;
  while (same < list.length && list[same].source === old[same]) same++;
  while (body.childNodes.length > same) body.lastChild.remove();
  body.append(...list.slice(same).map(({ block }) => blockNode(block)));
  body.sources = list.map(({ source }) => source);
}

// ---------------------------------------------------------------- messages
// take keeps the later state of a message. What only a reader of the chat is told stays.
function take(view) {
  const old = views.get(view.id);
  let now = { ...view };
  if (old) {
    now.branches ??= old.branches;
    now.vote ??= old.vote;
    if (old.revision > view.revision) now = { ...old, branches: now.branches, vote: now.vote };
    if (old.state === "streaming" && now.state !== "streaming") announce(ending(now) || "The reply is complete.", !!ending(now));
  } else if (now.state === "streaming") announce("The reply is being written.");
  views.set(view.id, now);
  return now;
}

function ending(view) {
  if (view.state === "failed") return "The reply failed: " + (view.finish || "for a reason that is not known") + ".";
  if (view.state !== "interrupted") return "";
  if (view.finish === "stopped") return "Stopped.";
  return view.finish === "abandoned" ? "Interrupted: its writer died." : "Interrupted.";
}

// announce has a screen reader say something. What the page shows elsewhere is only spoken.
function announce(words, spoken = false) {
  $("status").textContent = words;
  $("status").classList.toggle("spoken", spoken);
}

function showMessage(view) {
  let li = items.get(view.id);
  if (!li) {
    const parts = [el("div", { className: "who" }), el("div", { className: "body" }), el("p", { className: "note" }),
      el("div", { className: "tools", role: "group" })];
    li = Object.assign(el("li", { className: view.role }, ...parts), { parts });
    items.set(view.id, li);
  }
  const [who, body, note, tools] = li.parts;
  who.textContent = view.role === "assistant" ? view.model || "Model" : view.mine ? "You" : "Somebody else";
  Object.assign(li.dataset, { id: view.id, seq: view.seq, state: view.state });
  li.ariaBusy = String(view.state === "streaming");
  showText(body, view);
  note.textContent = ending(view);
  note.hidden = !note.textContent;
  showTools(tools, view);
  return li;
}

// showTools makes the buttons anew if others are needed, and otherwise keeps them with the focus.
function showTools(tools, view) {
  const state = JSON.stringify([view.state, view.branches, view.vote]);
  if (tools.state === state) return;
  tools.state = state;
  tools.ariaLabel = "Message " + view.seq;
  const focused = tools.contains(document.activeElement) ? document.activeElement.ariaLabel : "";
  tools.replaceChildren(...branchButtons(view), ...(view.state === "streaming" ? [] : messageButtons(view)));
  if (focused) [...tools.children].find((b) => b.ariaLabel === focused)?.focus();
}

function branchButtons({ seq, branches = [] }) {
  if (branches.length < 2) return [];
  const at = branches.indexOf(seq);
  const to = (i) => () => attempt(async () => { await api("POST", `chats/${chat.id}/branch`, { seq: branches[i] }); await reload(); });
  return [
    button("Version before", "‹", to(at - 1), { disabled: at <= 0 }),
    el("span", { className: "count" }, `${at + 1}/${branches.length}`),
    button("Version after", "›", to(at + 1), { disabled: at >= branches.length - 1 }),
  ];
}

function messageButtons(view) {
  const copy = button("Copy", "Copy", () => copyText(views.get(view.id).text));
  if (view.role === "user") return [copy, button("Edit", "Edit", () => edit(view.id))];
  const key = newKey(); // one for these buttons: a double click asks for one reply
  const ask = (what) => () => attempt(() => api("POST", `messages/${view.id}/${what}`, { key }));
  const list = [copy, button("Answer again", "Again", ask("again"))];
  if (view.state !== "complete") list.push(button("Go on", "Go on", ask("goon")));
  for (const [value, label, sign] of [[1, "Good answer", "Good"], [-1, "Bad answer", "Bad"]]) {
    list.push(button(label, sign, () => vote(view.id, value), { ariaPressed: String((view.vote || 0) === value) }));
  }
  return list;
}

async function vote(id, value) {
  const view = views.get(id);
  const next = view.vote === value ? 0 : value;
  if (await attempt(() => api("POST", `messages/${id}/vote`, { value: next }))) {
    view.vote = next;
    showMessage(view);
  }
}

const copyText = (words) => attempt(async () => {
  if (!navigator.clipboard) throw new Error("The browser lets only local and https pages copy.");
  await navigator.clipboard.writeText(words);
  announce("Copied.");
});

function edit(id) {
  const view = views.get(id), li = items.get(id), body = li.parts[1];
  if (li.querySelector(".editor")) return;
  const key = newKey();
  const area = el("textarea", { value: view.text, label: "Edit the message" });
  const close = () => { form.remove(); body.hidden = false; text.focus(); };
  const save = async (event) => {
    event.preventDefault();
    const sent = { text: area.value, key, parent: view.parent };
    if (area.value.trim() && await attempt(() => api("POST", `chats/${chat.id}/messages`, sent))) close();
  };
  const form = el("form", { className: "editor", on: { submit: save } }, area,
    button("Cancel", "Cancel", close), el("button", { type: "submit", className: "strong" }, "Send"));
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); close(); }
    if (enters(event)) { event.preventDefault(); form.requestSubmit(); }
  });
  body.hidden = true;
  body.after(form);
  area.focus();
}

// ---------------------------------------------------------------- thread
let seenHeight = 0; // of the part of the thread that is seen, before what changes it now
let stuck = true; // to the end of the thread, which then stays in view
const atEnd = () => scroller.scrollHeight - scroller.scrollTop - Math.max(scroller.clientHeight, seenHeight) < 80;
const toEnd = () => { scroller.scrollTop = scroller.scrollHeight; };

// resized keeps the end in view when a keyboard opens, the screen turns or the composer grows.
function resized() {
  if (stuck) toEnd();
  seenHeight = scroller.clientHeight;
}

const streaming = () => chat?.messages.find((id) => views.get(id).state === "streaming");

function showThread() {
  const stick = atEnd();
  const ids = chat?.messages || [];
  ids.forEach((id, i) => {
    const li = showMessage(views.get(id));
    if (thread.children[i] !== li) thread.insertBefore(li, thread.children[i] || null);
  });
  while (thread.children.length > ids.length) thread.lastChild.remove();
  $("welcome").hidden = ids.length > 0;
  $("title").hidden = $("remove").hidden = !chat;
  $("earlier").hidden = !chat?.earlier;
  $("stop").hidden = !streaming();
  $("send").hidden = !!streaming();
  if (stick) toEnd();
  stuck = atEnd();
  markRead();
}

function showTitle(title) {
  if (document.activeElement !== $("title")) $("title").value = title;
  document.title = title || "Chat";
}

// reload reads the path that the chat shows. If it changes meanwhile it is read again.
function reload() {
  structure++;
  loading ??= readPath().finally(() => { loading = null; });
  return loading;
}

async function readPath() {
  for (let seen = -1; chat && seen !== structure;) {
    seen = structure;
    const { id } = chat;
    const answer = await api("GET", "chats/" + id);
    if (chat?.id === id) apply(answer);
  }
}

function apply(answer) {
  chat.messages = answer.messages.map((view) => take(view).id);
  chat.earlier = answer.earlier;
  showTitle(answer.title);
  showThread();
}

async function showEarlier() {
  const { id, earlier } = chat;
  const answer = await api("GET", `chats/${id}?earlier=${encodeURIComponent(earlier)}`);
  if (chat?.id !== id || chat.earlier !== earlier) return;
  const height = scroller.scrollHeight;
  chat.messages = [...answer.messages.map((view) => take(view).id), ...chat.messages];
  chat.earlier = answer.earlier;
  showThread();
  scroller.scrollTop += scroller.scrollHeight - height;
}

// markRead says how far a person who looks at the page has read. A reply is not read before its end.
function markRead() {
  if (!chat || document.visibilityState !== "visible") return;
  const writing = streaming();
  const upTo = writing ? views.get(writing).seq - 1 : lastSeq;
  if (upTo <= read) return;
  read = upTo;
  api("POST", `chats/${chat.id}/read`, { seq: upTo }).then(loadListSoon, () => {});
}

// open shows the chat that the address names: #ID or #ID/SEQ, and an empty one without.
async function open() {
  const [id, hit] = address();
  openSide(false);
  if (id !== chat?.id) {
    chat = null;
    views = new Map();
    items = new Map();
    lastSeq = read = 0;
    announce("");
    showTitle("");
    showThread();
    await connect();
    showList();
    text.focus({ preventScroll: true });
  }
  if (hit && chat?.id === id) await attempt(() => show(Number(hit)));
}

const address = () => location.hash.slice(1).split("/");

// connect reads the chat of the address and follows it, as soon as the server can be reached.
async function connect() {
  source?.close();
  const [id] = address();
  if (!id) return follow();
  try {
    const answer = await api("GET", "chats/" + id);
    if (address()[0] !== id) return;
    const fresh = chat?.id !== id;
    chat = { id };
    lastSeq = Number(answer.position.split(".")[0]);
    apply(answer);
    if (fresh) toEnd();
    follow(answer.position);
  } catch (error) {
    if (address()[0] !== id) return;
    toast(error.message);
    if (error.status === 404) location.hash = "";
    else setTimeout(() => { if (address()[0] === id) connect(); }, 1000);
  }
}

// show brings a message into view: on another branch, or further up.
async function show(seq) {
  const find = () => thread.querySelector(`[data-seq="${seq}"]`);
  while (!find() && chat.earlier && seq < views.get(chat.messages[0]).seq) await showEarlier();
  if (!find()) {
    await api("POST", `chats/${chat.id}/branch`, { seq });
    await reload();
  }
  thread.querySelector(".found")?.classList.remove("found");
  find()?.classList.add("found");
  find()?.scrollIntoView({ block: "center" });
}

// ---------------------------------------------------------------- events
// follow listens to what happens in the chat, from a position on, and in the list. The browser
// connects again by itself and says which event it had last.
function follow(position) {
  source?.close();
  let lost = false; // the connection, so that something may have been missed
  const mine = source = new EventSource(chat ? `api/chats/${chat.id}/events?from=${position}` : "api/events");
  const on = (name, handle) => source.addEventListener(name, (event) => {
    if (mine !== source) return;
    if (event.lastEventId) lastSeq = Math.max(lastSeq, Number(event.lastEventId.split(".")[0]));
    handle(event.data && JSON.parse(event.data));
  });
  on("appended", appended);
  on("updated", (view) => { take(view); showThread(); });
  on("text", added);
  on("deleted", () => attempt(reload));
  on("head", () => attempt(reload));
  on("gone", () => { if (chat) { toast("The chat was deleted."); location.hash = ""; } });
  on("lost", connect);
  on("list", loadListSoon);
  source.onopen = () => {
    document.body.dataset.live = "yes";
    loadListSoon();
    if (!lost) return;
    lost = false;
    announce("Connected.");
    if (chat) attempt(reload);
  };
  source.onerror = () => {
    if (mine !== source) return;
    document.body.dataset.live = "no";
    lost = true;
    announce("Connecting again …");
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => { if (mine === source) connect(); }, 1000);
  };
}

function appended(view) {
  const known = views.has(view.id);
  take(view);
  const last = chat.messages.at(-1);
  if (chat.messages.includes(view.id)) showThread();
  else if (!known && view.parent === (last ? views.get(last).seq : 0)) {
    chat.messages.push(view.id);
    structure++;
    showThread();
  } else attempt(reload);
}

// added puts text behind what is there. The later of two states counts, so that text never goes
// backwards when a chat is read while events come.
function added({ id, revision, from, text: more }) {
  const view = views.get(id);
  if (!view || revision <= view.revision) return;
  view.text = view.text.slice(0, from) + more;
  view.revision = revision;
  showThread();
}

// ---------------------------------------------------------------- list
let list = { items: [] };
let listCall = 0, listTimer;

function loadListSoon() {
  listTimer ??= setTimeout(() => { listTimer = undefined; loadList().catch(() => {}); }, 300);
}

async function loadList(after = "") {
  const call = ++listCall;
  const answer = await api("GET", "chats?" + new URLSearchParams({ q: $("search").value.trim(), after }));
  if (call !== listCall) return;
  list = after ? { items: [...list.items, ...answer.items], next: answer.next } : answer;
  const shown = chat && !$("search").value.trim() && list.items.find((c) => c.id === chat.id);
  if (shown) showTitle(shown.title);
  showList();
}

function showList() {
  const none = el("li", { className: "none" }, $("search").value.trim() ? "Nothing found." : "No chats yet.");
  $("list").replaceChildren(...(list.items.length ? list.items.map(listLine) : [none]));
  $("more").hidden = !list.next;
}

function listLine(c) {
  const link = el("a", { href: "#" + c.id + (c.hit ? "/" + c.hit : "") },
    el("span", { className: "name", textContent: c.title || "Untitled" }));
  const looking = c.id === chat?.id && document.visibilityState === "visible"; // and marks it as read
  if (c.unread && !looking) link.append(el("span", { className: "unread", textContent: c.unread > 99 ? "99+" : c.unread, label: c.unread + " unread", role: "img" }));
  link.append(el("span", { className: "part" }, ...marked(c.text, c.mark)));
  if (c.id === chat?.id) link.setAttribute("aria-current", "page");
  return el("li", {}, link);
}

function marked(words, marks = []) {
  const nodes = [];
  let end = 0;
  for (const [from, to] of marks) {
    nodes.push(words.slice(end, from), el("mark", { textContent: words.slice(from, to) }));
    end = to;
  }
  return [...nodes, words.slice(end)];
}

// ---------------------------------------------------------------- composer
// The list covers the chat on a small screen, where it is open or not.
const sideIsOpen = () => document.body.classList.contains("open");
function openSide(open) {
  document.body.classList.toggle("open", open);
  $("menu").ariaExpanded = String(open);
  return open;
}

const enters = (event) => event.key === "Enter" && !event.shiftKey && !event.isComposing;

let pending = null; // what was sent last without an answer; sent again it has the same key
let sending = false;

async function send(event) {
  event.preventDefault();
  const words = text.value;
  if (sending || !words.trim() || streaming()) return;
  sending = true;
  if (pending?.text !== words || pending.chat !== chat?.id) pending = { text: words, key: newKey(), chat: chat?.id };
  const body = { text: words, key: pending.key };
  text.value = "";
  grow();
  const sent = await attempt(async () => {
    const answer = await api("POST", chat ? `chats/${chat.id}/messages` : "chats", body);
    toEnd();
    if (!chat) location.hash = answer.chat;
  });
  if (sent) pending = null;
  else if (!text.value) text.value = words;
  grow();
  sending = false;
}

const stop = () => { const id = streaming(); if (id) attempt(() => api("POST", `messages/${id}/stop`, {})); };

const grow = () => { text.rows = Math.min(12, text.value.split("\n").length); };

async function remove() {
  const { id } = chat;
  source.close(); // it would report what this page does itself
  if (!await attempt(() => api("DELETE", "chats/" + id))) return connect();
  location.hash = "";
  toast("The chat was deleted.", "Undo", () => attempt(async () => { await api("POST", `chats/${id}/restore`, {}); location.hash = id; }));
}

const theme = document.documentElement.dataset;
function toggleTheme() {
  const now = theme.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  localStorage.setItem("theme", theme.theme = now === "dark" ? "light" : "dark");
}

new ResizeObserver(resized).observe(scroller);
scroller.addEventListener("scroll", () => { stuck = atEnd(); });
$("composer").addEventListener("submit", send);
text.addEventListener("keydown", (event) => { if (enters(event)) { event.preventDefault(); $("composer").requestSubmit(); } });
text.addEventListener("input", grow);
$("stop").addEventListener("click", stop);
$("remove").addEventListener("click", remove);
$("theme").addEventListener("click", toggleTheme);
$("earlier").addEventListener("click", () => attempt(showEarlier));
$("more").addEventListener("click", () => attempt(() => loadList(list.next)));
$("fresh").addEventListener("click", () => { location.hash = ""; openSide(false); text.focus(); });
$("title").addEventListener("change", () => attempt(() => api("PATCH", "chats/" + chat.id, { title: $("title").value })));
$("title").addEventListener("keydown", (event) => { if (event.key === "Enter") event.target.blur(); });
$("search").addEventListener("input", loadListSoon);
$("menu").addEventListener("click", () => { if (openSide(!sideIsOpen())) $("search").focus(); });
document.querySelector("main").addEventListener("pointerdown", (event) => { if (!event.target.closest("#menu")) openSide(false); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (sideIsOpen()) openSide(false);
  else stop();
});
document.addEventListener("visibilitychange", markRead);
addEventListener("hashchange", () => attempt(open));

if (localStorage.getItem("theme")) theme.theme = localStorage.getItem("theme");
attempt(loadList.bind(null, ""));
attempt(open);
