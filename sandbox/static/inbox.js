// Asks for new messages every second and shows them. Whatever a message says is set as text, never as markup;
// the HTML of an email lives in a frame that may run nothing.

const EVERY = 1000;
const AT_MOST = 200;

const lists = Object.fromEntries([...document.querySelectorAll("ol[data-kind]")].map((list) => [list.dataset.kind, list]));
const state = document.getElementById("state");
const filter = document.getElementById("filter");
const reader = document.getElementById("reader");
let messages = [];
let newest = 0;
let open = 0;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

function timeOf(message) {
  return new Date(message.at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

function shortly(address) {
  return address.length > 40 ? `… ${address.slice(-10)}` : address;
}

function top(message, name) {
  const line = make("div", "top");
  line.append(make("span", "", name), make("time", "", timeOf(message)));
  return line;
}

function push(message) {
  const item = make("li", "push");
  item.append(top(message, message.sender), make("h3", "", message.title), make("p", "", message.body));
  if (message.image) {
    const image = make("img");
    image.src = message.image;
    image.alt = "";
    item.append(image);
  }
  if (message.link) item.append(make("p", "to", `opens ${message.link}`));
  item.append(make("p", "to", `to ${shortly(message.address)}`));
  return item;
}

function text(message) {
  const item = make("li", "bubble");
  item.append(make("p", "to", `${message.sender} → ${message.address}, ${timeOf(message)}`), make("p", "said", message.body));
  return item;
}

function mail(message) {
  const item = make("li");
  const button = make("button");
  button.type = "button";
  button.append(top(message, message.sender), make("span", "subject", message.title), make("span", "to", `to ${message.address}`));
  if (message.number === open) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => read(message));
  item.append(button);
  return item;
}

const shown = { ios: push, android: push, web: push, sms: text, email: mail };

function read(message) {
  open = message.number;
  reader.hidden = false;
  reader.querySelector("h3").textContent = message.title;
  reader.querySelector(".people").textContent = `${message.sender} → ${message.address}, ${timeOf(message)}`;
  reader.querySelector("iframe").srcdoc = message.html;
  reader.querySelector("pre").textContent = message.body || "This email has no plain text.";
  showAs(message.html ? "html" : "text");
  draw();
}

function showAs(form) {
  for (const button of reader.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.show === form));
  reader.querySelector("iframe").hidden = form !== "html";
  reader.querySelector("pre").hidden = form !== "text";
}

function draw() {
  const wanted = filter.value.trim().toLowerCase();
  const fits = (message) => !wanted
    || [message.address, message.title, message.body, message.delivery_id].some((field) => field.toLowerCase().includes(wanted));
  for (const [kind, list] of Object.entries(lists)) {
    const found = messages.filter((message) => message.kind === kind && fits(message));
    list.replaceChildren(...found.map((message) => shown[kind](message)));
    list.closest("section").querySelector(".count").textContent = found.length || "";
    if (!found.length) list.append(make("li", "empty", wanted ? "Nothing for this filter." : "Nothing yet."));
  }
}

function add(found) {
  newest = found[0].number;
  messages = [...found, ...messages].slice(0, AT_MOST);
  draw();
  for (const message of found) {
    const list = lists[message.kind];
    const place = messages.filter((one) => one.kind === message.kind).indexOf(message);
    list?.children[place]?.classList.add("new");
  }
  const email = found.find((message) => message.kind === "email");
  if (email && !open) read(email);
}

async function look() {
  try {
    const answer = await fetch(`/inbox/messages?after=${newest}`);
    const found = (await answer.json()).messages;
    state.textContent = "Live";
    state.className = "live";
    if (found.length) add(found);
  } catch {
    state.textContent = "The sandbox does not answer; trying again.";
    state.className = "lost";
  }
  setTimeout(look, EVERY);
}

function tick() {
  const now = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  for (const clock of document.querySelectorAll(".clock")) clock.textContent = now;
}

filter.addEventListener("input", draw);
for (const button of reader.querySelectorAll("button")) button.addEventListener("click", () => showAs(button.dataset.show));
draw();
tick();
setInterval(tick, 10_000);
look();
