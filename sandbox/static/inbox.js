// Asks for new messages every second and shows them. Whatever a message says is set as text, never as markup;
// the HTML of an email lives in a frame that may run nothing. Links open in a tab of their own.

const EVERY = 1000;
const AT_MOST = 200; // of each kind

const lists = Object.fromEntries([...document.querySelectorAll("ol[data-kind]")].map((list) => [list.dataset.kind, list]));
const state = document.getElementById("state");
const news = document.getElementById("news");
const filter = document.getElementById("filter");
const reader = document.getElementById("reader");
const messages = new WeakMap(); // by the list item that shows them
let memory = 0; // which memory of the sandbox `newest` counts in; it begins anew when its record is deleted
let newest = 0;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

const clockTime = (at, seconds) =>
  at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: seconds, hourCycle: "h23" });

const timeOf = (message) => clockTime(new Date(message.at * 1000), "2-digit");

const shortly = (address) => (address.length > 40 ? `… ${address.slice(-10)}` : address);

function top(message) {
  const line = make("div", "top");
  const time = make("time", "", timeOf(message));
  time.dateTime = new Date(message.at * 1000).toISOString();
  line.append(make("span", "", message.sender), time);
  return line;
}

function push(message) {
  const item = make("li", "push");
  item.append(top(message));
  if (message.title) item.append(make("h3", "", message.title));
  item.append(make("p", "said", message.body));
  if (message.image) {
    const image = make("img");
    image.src = message.image;
    image.alt = "";
    image.addEventListener("error", () => image.replaceWith(make("p", "to", `no picture at ${message.image}`)));
    item.append(image);
  }
  if (message.link) item.append(make("p", "to", `opens ${message.link}`));
  item.append(make("p", "to", `to ${shortly(message.address)}`));
  return item;
}

// As phones do it: what looks like an address of a web page is a link.
function withLinks(words) {
  const said = make("p", "said");
  for (const [place, part] of words.split(/(https?:\/\/[!#-;=?-~]+)/).entries()) {
    if (place % 2) {
      const link = make("a", "", part);
      link.href = part;
      link.target = "_blank";
      link.rel = "noreferrer";
      said.append(link);
    } else said.append(part);
  }
  return said;
}

function text(message) {
  const item = make("li", "bubble");
  item.append(top(message), withLinks(message.body), make("p", "to", `to ${message.address}`));
  return item;
}

function mail(message) {
  const item = make("li");
  const button = make("button");
  button.type = "button";
  button.append(top(message), make("span", "subject", message.title), make("span", "to", `to ${message.address}`));
  button.addEventListener("click", () => read(item));
  item.append(button);
  return item;
}

const shown = { ios: push, android: push, desktop: push, sms: text, email: mail };

const opened = () => lists.email.querySelector("[aria-current]");

// The frame may show nothing but the email, so its links open elsewhere.
const outwards = (html) => (/<head\b/i.test(html) ? html.replace(/<head\b[^>]*>/i, '$&<base target="_blank">') : `<base target="_blank">${html}`);

function read(item) {
  const message = messages.get(item);
  opened()?.removeAttribute("aria-current");
  item.querySelector("button").setAttribute("aria-current", "true");
  reader.hidden = false;
  reader.querySelector("h3").textContent = message.title;
  reader.querySelector(".people").textContent = `${message.sender} → ${message.address}, ${timeOf(message)}`;
  reader.querySelector("iframe").srcdoc = message.html && outwards(message.html);
  reader.querySelector("pre").textContent = message.body || "This email has no plain text.";
  reader.querySelector("[data-show=html]").disabled = !message.html;
  showAs(message.html ? "html" : "text");
}

function showAs(form) {
  for (const button of reader.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.show === form));
  reader.querySelector("iframe").hidden = form !== "html";
  reader.querySelector("pre").hidden = form !== "text";
}

// Items stay where they are, so that neither focus nor place is lost; those that do not fit the filter hide.
function sift() {
  const wanted = filter.value.trim().toLowerCase();
  const fits = ({ address, title, body, delivery_id }) =>
    [address, title, body, delivery_id].some((field) => field.toLowerCase().includes(wanted));
  for (const list of Object.values(lists)) {
    const items = [...list.children];
    for (const item of items) item.hidden = !fits(messages.get(item));
    const count = items.filter((item) => !item.hidden).length;
    const section = list.closest("section");
    section.querySelector(".count").textContent = count || "";
    const empty = section.querySelector(".empty");
    empty.hidden = count > 0;
    empty.textContent = items.length ? "Nothing for this filter." : "Nothing yet: what you send appears here.";
  }
  reader.hidden = !opened() || opened().closest("li").hidden;
}

function add(found) {
  newest = found[0].number;
  for (const message of found.toReversed()) {
    const item = shown[message.kind](message);
    item.classList.add("new");
    messages.set(item, message);
    const list = lists[message.kind];
    list.prepend(item);
    if (list.children.length > AT_MOST) list.lastElementChild.remove();
  }
  sift();
  const email = lists.email.querySelector("li:not([hidden])");
  if (email && !opened()) read(email);
}

function forget() {
  newest = 0;
  for (const list of Object.values(lists)) list.replaceChildren();
  sift();
}

function say(className, sentence) {
  // Said once: a status that is set again is read out again.
  if (state.className === className) return;
  state.className = className;
  state.textContent = sentence;
}

async function ask() {
  const answer = await fetch(`/inbox/messages?each=provider&after=${newest}`);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

async function look() {
  try {
    let found = await ask();
    if (found.memory !== memory) {
      memory = found.memory;
      forget();
      found = await ask();
    }
    say("live", "Live");
    if (found.messages.length) {
      add(found.messages);
      news.textContent = found.messages.length === 1 ? "One new message" : `${found.messages.length} new messages`;
    }
  } catch {
    say("lost", "The sandbox does not answer; trying again.");
  }
  setTimeout(look, EVERY);
}

function tick() {
  for (const clock of document.querySelectorAll(".clock")) clock.textContent = clockTime(new Date());
}

filter.addEventListener("input", sift);
for (const button of reader.querySelectorAll("button")) button.addEventListener("click", () => showAs(button.dataset.show));
sift();
tick();
setInterval(tick, 10_000);
look();
