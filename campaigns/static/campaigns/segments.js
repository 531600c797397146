/* Rules in groups, in place of JSON, and a count that follows. The JSON stays what is sent: each change is folded into it. */
"use strict";

(() => {
  const root = document.getElementById("segment-builder");
  const raw = document.querySelector("textarea[name=rules]");
  if (!root || !raw) return;
  const $ = (name) => root.querySelector(`[data-${name}]`);
  const words = JSON.parse(document.getElementById("segment-words").textContent);
  const ATTRIBUTE = "attributes.";
  const fields = Object.fromEntries(words.fields.map((one) => [one.name, one]));
  /* How a group reads, and what it is in JSON. */
  const GROUPS = [
    ["all", "all of these"],
    ["any", "any of these"],
    ["none", "none of these"],
    ["not all", "not all of these"],
  ];
  const OPERATORS = { includes: "includes", from: "is on or after", before: "is before", in: "is in", "not in": "is not in" };
  const DEEPEST = 6;
  let tree = null;
  let asked = null;
  let timer = 0;
  let number = 0;

  const element = (tag, text = "", attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

  /* ---- between JSON and groups ---------------------------------------------------------------------- */
  const group = (op = "all", parts = []) => ({ key: `n${++number}`, op, parts });
  const leaf = (rule) => ({ key: `n${++number}`, rule });

  const unfold = (json) => {
    if (!isObject(json)) throw new Error("no object");
    for (const op of ["all", "any"]) if (Array.isArray(json[op])) return group(op, json[op].map(unfold));
    if (!("not" in json)) return leaf({ ...json });
    const inner = json.not;
    if (isObject(inner) && Array.isArray(inner.any)) return group("none", inner.any.map(unfold));
    if (isObject(inner) && Array.isArray(inner.all)) return group("not all", inner.all.map(unfold));
    return group("none", [unfold(inner)]);
  };

  /* Back to JSON; each node learns the place that the server will call it by. */
  const fold = (node, place = "") => {
    node.place = place;
    if (node.rule) return node.rule;
    const isTurned = node.op === "none" || node.op === "not all";
    const name = node.op === "none" || node.op === "any" ? "any" : "all";
    const at = [place, isTurned ? "not" : "", name].filter(Boolean).join(".");
    const parts = node.parts.map((part, index) => fold(part, `${at}[${index}]`));
    return isTurned ? { not: { [name]: parts } } : { [name]: parts };
  };

  const read = () => {
    try {
      const json = raw.value.trim() ? JSON.parse(raw.value) : {};
      if (!isObject(json)) return false;
      const made = Object.keys(json).length ? unfold(json) : group();
      tree = made.rule ? group("all", [made]) : made;
    } catch {
      return false;
    }
    return true;
  };

  const changed = () => {
    const json = fold(tree);
    raw.value = JSON.stringify(tree.parts.length ? json : {}, null, 2);
    later();
  };

  /* ---- what can be typed ---------------------------------------------------------------------------- */
  const select = (label, key, options, value, change) => {
    const made = element("select", "", { "aria-label": label, "data-key": key, class: "rounded" });
    for (const [name, text] of options) made.append(element("option", text, { value: name }));
    if (value !== undefined && value !== "" && !options.some(([name]) => name === value)) {
      made.append(element("option", `${value} (not there any more)`, { value }));
    }
    made.value = value ?? options[0]?.[0] ?? "";
    made.addEventListener("change", () => change(made.value));
    return made;
  };
  const input = (label, key, value, change, attributes = {}) => {
    const made = element("input", "", { "aria-label": label, "data-key": key, class: "rounded", autocomplete: "off", ...attributes });
    made.value = value;
    made.addEventListener("input", () => change(made.value.trim()));
    return made;
  };

  /* As JSON where it is a number, true or false; "12" in quotes is a text. */
  const scalar = (text) => {
    if (/^-?\d{1,15}(\.\d+)?$/.test(text)) return Number(text);
    if (text === "true" || text === "false") return text === "true";
    return /^".*"$/.test(text) ? text.slice(1, -1) : text;
  };
  const written = (value) => (typeof value === "string" && scalar(value) !== value ? `"${value}"` : String(value ?? ""));
  /* In a list a text with a comma in it stands in quotes. */
  const inList = (value) => (typeof value === "string" && value.includes(",") ? `"${value}"` : written(value));
  const list = (text) => (text.match(/\s*("[^"]*"|[^,]+)/g) ?? []).map((one) => one.trim()).filter(Boolean);
  const listed = (value) => (Array.isArray(value) ? value : []);

  const HINTS = {
    text: ["", ""], scalar: ["pro", "A number, true or false is read as such; write \"12\" for a text."],
    scalars: ["pro, team", "With commas between them; a text with a comma in quotes."], version: ["2.10", "As in 2.10.1"], locale: ["ko-KR", "As in ko-KR"],
    locales: ["ko-KR, en-GB", "With commas between them."], language: ["ko", "As in ko"], languages: ["ko, en", "With commas between them."],
    country: ["KR", "Two letters, as in KR"], countries: ["KR, JP", "Two letters each, with commas between them."],
  };
  const isMany = (kind) => ["scalars", "locales", "languages", "countries"].includes(kind);

  const boxes = (label, key, rule) => {
    const made = element("fieldset", "", { class: "segment-boxes" });
    made.append(element("legend", label, { class: "segment-hidden" }));
    for (const [name, text] of words.platforms) {
      const holder = element("label", "");
      const box = element("input", "", { type: "checkbox", "data-key": `${key}.${name}` });
      box.checked = listed(rule.value).includes(name);
      box.addEventListener("change", () => {
        rule.value = words.platforms.map(([one]) => one).filter((one) => (one === name ? box.checked : listed(rule.value).includes(one)));
        changed();
      });
      holder.append(box, ` ${text}`);
      made.append(holder);
    }
    return made;
  };

  const days = (label, key, value, set) => {
    const holder = element("span", "", { class: "segment-days" });
    holder.append(input(label, key, value ?? "", (text) => set(text === "" ? null : Number(text)), { type: "number", min: "1", max: "3650" }), "days");
    return holder;
  };

  /* The inputs for what an operator takes. */
  const values = (node, label) => {
    const { rule, key } = node;
    const kind = fields[fieldOf(rule)].operators[rule.is];
    const name = `${label}: value`;
    const at = `${key}.value`;
    const set = (value) => {
      rule.value = value;
      changed();
    };
    if (kind === "nothing") return [];
    if (kind === "days") return [days(`${label}: days`, at, rule.value, set)];
    if (kind === "day") return [input(name, at, rule.value ?? "", set, { type: "date" })];
    if (kind === "number") return [input(name, at, rule.value ?? "", (text) => set(text === "" ? null : Number(text)), { type: "number", step: "any" })];
    if (kind === "platform") return [select(name, at, words.platforms, rule.value, set)];
    if (kind === "platforms") return [boxes(name, at, rule)];
    if (kind === "segment") return [select(name, at, words.segments, rule.value, set)];
    if (kind === "choice") {
      const put = (part) => (value) => set({ ...rule.value, [part]: value });
      return [
        select(`${label}: category`, at, words.categories, rule.value?.category, put("category")),
        element("span", "by"),
        select(`${label}: channel`, `${at}.channel`, words.channels, rule.value?.channel, put("channel")),
      ];
    }
    const [example, help] = HINTS[kind] ?? ["", ""];
    const isScalar = kind === "scalar" || kind === "scalars";
    const text = isMany(kind) ? listed(rule.value).map(isScalar ? inList : String).join(", ") : isScalar ? written(rule.value) : rule.value ?? "";
    const parse = (typed) => (isMany(kind) ? list(typed).map((one) => (isScalar ? scalar(one) : one)) : isScalar ? scalar(typed) : typed);
    return [input(name, at, text, (typed) => set(parse(typed)), { placeholder: example, title: help })];
  };

  const also = (node, label) => {
    const { rule, key } = node;
    const put = (name) => (value) => {
      if (value) rule[name] = value;
      else delete rule[name];
      changed();
    };
    const none = { platform: "any platform", campaign: "any campaign" };
    const options = { platform: words.platforms, campaign: words.campaigns };
    return fields[fieldOf(rule)].also.map((name) =>
      select(`${label}: ${name}`, `${key}.${name}`, [["", none[name]], ...options[name]], rule[name] ?? "", put(name)),
    );
  };

  /* ---- rules and groups ----------------------------------------------------------------------------- */
  const fieldOf = (rule) => (String(rule.field).startsWith(ATTRIBUTE) ? ATTRIBUTE : rule.field);
  const first = (kind) =>
    ({ platform: words.platforms[0][0], segment: words.segments[0]?.[0] ?? "", choice: { category: words.categories[0]?.[0] ?? "", channel: words.channels[0][0] } })[kind];
  const begun = (name, operator) => {
    const is = operator in fields[name].operators ? operator : Object.keys(fields[name].operators)[0];
    const kind = fields[name].operators[is];
    const value = kind === "platforms" || isMany(kind) ? [] : kind === "days" ? 30 : first(kind) ?? "";
    return { field: name, is, ...(kind === "nothing" ? {} : { value }) };
  };

  /* What follows a select is drawn anew when it changes, and the select itself stays: somebody may be typing in it. */
  const drawTail = (tail, node, label) => tail.replaceChildren(...values(node, label), ...also(node, label));

  const drawRest = (rest, node, label) => {
    const { key } = node;
    const name = fieldOf(node.rule);
    const tail = element("span", "", { class: "segment-part" });
    const how = (to) => {
      const { rule } = node;
      const isAlike = fields[name].operators[rule.is] === fields[name].operators[to] && rule.value !== undefined;
      const kept = fields[name].also.filter((one) => rule[one]).map((one) => [one, rule[one]]);
      node.rule = { ...begun(name, to), field: rule.field, ...(isAlike ? { value: rule.value } : {}), ...Object.fromEntries(kept) };
      drawTail(tail, node, label);
      changed();
    };
    const operators = Object.keys(fields[name].operators).map((one) => [one, OPERATORS[one] ?? one]);
    rest.replaceChildren(select(`${label}: how`, `${key}.is`, operators, node.rule.is, how), tail);
    if (name === ATTRIBUTE) {
      const put = (typed) => {
        node.rule.field = ATTRIBUTE + typed;
        changed();
      };
      const called = String(node.rule.field).slice(ATTRIBUTE.length);
      rest.prepend(input(`${label}: attribute`, `${key}.name`, called, put, { list: "segment-attributes", placeholder: "plan" }));
    }
    drawTail(tail, node, label);
  };

  const drawLeaf = (node, parent, label) => {
    const { rule, key } = node;
    const row = element("div", "", { class: "segment-rule", "data-node": key, role: "group", "aria-label": label });
    const line = element("div", "", { class: "segment-line" });
    const name = fieldOf(rule);
    if (!(name in fields) || !(rule.is in fields[name].operators)) {
      line.append(element("code", JSON.stringify(rule))); // written by hand, and told by the server
    } else {
      const rest = element("span", "", { class: "segment-part" });
      const what = (to) => {
        node.rule = begun(to, "");
        drawRest(rest, node, label);
        changed();
      };
      line.append(select(`${label}: what`, `${key}.field`, words.fields.map((one) => [one.name, one.label]), name, what), rest);
      drawRest(rest, node, label);
    }
    line.append(removal(node, parent, label));
    row.append(line);
    return row;
  };

  const removal = (node, parent, label) => {
    const button = element("button", "Remove", { type: "button", class: "segment-quiet", "aria-label": `Remove ${label}`, "data-key": `${node.key}.remove` });
    button.addEventListener("click", () => {
      const at = parent.parts.indexOf(node);
      parent.parts.splice(at, 1);
      const next = parent.parts[Math.min(at, parent.parts.length - 1)];
      redraw(next ? `${next.key}.remove` : `${parent.key}.add`);
    });
    return button;
  };

  const drawGroup = (node, parent, label, depth) => {
    const box = element("div", "", { class: "segment-group", "data-node": node.key, role: "group", "aria-label": label });
    const head = element("div", "", { class: "segment-line" });
    head.append(
      element("span", depth ? "People who meet" : "Everybody who meets"),
      select(`${label}: how many of its rules`, `${node.key}.op`, GROUPS, node.op, (op) => {
        node.op = op;
        changed();
      }),
    );
    if (parent) head.append(removal(node, parent, label));
    const prefix = depth ? `${label.replace("Group ", "")}.` : "";
    const parts = node.parts.map((part, at) =>
      part.rule ? drawLeaf(part, node, `Rule ${prefix}${at + 1}`) : drawGroup(part, node, `Group ${prefix}${at + 1}`, depth + 1),
    );
    if (!parts.length) parts.push(element("p", depth ? "No rules yet." : "No rules yet: everybody is in it.", { class: "segment-none" }));
    const feet = element("div", "", { class: "segment-line" });
    const adding = (text, key, make) => {
      const button = element("button", text, { type: "button", "data-key": `${node.key}.${key}`, class: "segment-quiet" });
      if (depth) button.setAttribute("aria-label", `${text} to ${label.toLowerCase()}`);
      button.addEventListener("click", () => {
        const made = make();
        node.parts.push(made);
        redraw(made.rule ? `${made.key}.field` : `${made.key}.op`);
      });
      return button;
    };
    feet.append(adding("+ Rule", "add", () => leaf(begun("country", ""))));
    if (depth < DEEPEST) feet.append(adding("+ Group", "add-group", () => group("any", [leaf(begun("country", ""))])));
    box.append(head, ...parts, feet);
    return box;
  };

  const draw = (focus = "") => {
    const held = focus || document.activeElement?.dataset?.key || "";
    $("rules").replaceChildren(drawGroup(tree, null, "All rules", 0));
    if (held) [...root.querySelectorAll("[data-key]")].find((one) => one.dataset.key === held)?.focus();
  };
  const redraw = (focus) => {
    changed();
    draw(focus);
  };

  /* ---- the count ------------------------------------------------------------------------------------ */
  const nodes = (node) => [node, ...(node.parts ?? []).flatMap(nodes)];

  const showMistake = (found) => {
    root.querySelectorAll(".segment-mistake").forEach((one) => one.remove());
    root.querySelectorAll("[aria-invalid]").forEach((one) => ["aria-invalid", "aria-describedby"].forEach((name) => one.removeAttribute(name)));
    if (!found) return false;
    const isIn = (node) => node.place === "" || found.place === node.place || [".", "["].includes(found.place[node.place.length]) && found.place.startsWith(node.place);
    const mine = nodes(tree).filter((node) => isIn(node)).sort((one, other) => other.place.length - one.place.length)[0];
    const box = mine && mine !== tree && root.querySelector(`[data-node="${mine.key}"]`);
    if (!box) return false;
    const note = element("p", found.short, { class: "segment-mistake", id: `${mine.key}-mistake` });
    (mine.rule ? box : box.querySelector(".segment-line")).append(note);
    const part = found.place.slice(mine.place.length).replace(/^\./, "");
    const named = { field: "name", is: "is", campaign: "campaign", platform: "platform" }[part.split(".")[0]] ?? "value";
    const wrong = [...box.querySelectorAll("[data-key]")].find((one) => one.dataset.key === `${mine.key}.${named}`);
    if (wrong) {
      wrong.setAttribute("aria-invalid", "true");
      wrong.setAttribute("aria-describedby", note.id);
    }
    return true;
  };

  const show = (found) => {
    const isMarked = showMistake(found.says ? found : null);
    $("status").textContent = found.says ? "Not counted: a rule cannot be used yet." : found.people;
    $("status").classList.toggle("segment-stale", Boolean(found.says));
    $("wrong").hidden = !found.says || isMarked;
    $("wrong").textContent = found.says ?? "";
    $("some").hidden = !found.some?.length;
    const cells = (found.some ?? []).map((row) => {
      const line = element("tr");
      line.append(...row.map((cell) => element("td", cell)));
      return line;
    });
    $("some").querySelector("tbody").replaceChildren(...cells);
  };

  const look = async () => {
    asked?.abort();
    asked = new AbortController();
    const sent = new FormData();
    sent.set("csrfmiddlewaretoken", document.querySelector("input[name=csrfmiddlewaretoken]").value);
    sent.set("rules", raw.value);
    sent.set("segment", root.dataset.segment);
    try {
      const answer = await fetch(root.dataset.look, { method: "POST", body: sent, signal: asked.signal, headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status === 403 ? "you may not do this, or were signed out." : `the server answers ${answer.status}.`);
      show(await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") $("status").textContent = `Not counted: ${error.message}`;
    }
  };

  const later = () => {
    $("status").classList.add("segment-stale");
    clearTimeout(timer);
    timer = setTimeout(look, 350);
  };

  /* ---- start ---------------------------------------------------------------------------------------- */
  const kind = document.querySelector("select[name=kind]");
  const holder = raw.closest(".field-row") ?? raw.closest(".form-row") ?? raw.parentElement;
  const choose = () => {
    root.hidden = Boolean(kind) && kind.value === "list";
  };
  const start = () => {
    if (!read()) return; // what is no JSON is mended as text
    $("raw").append(holder);
    raw.addEventListener("change", () => {
      if (!read()) {
        $("status").textContent = "Not counted: the JSON below cannot be read.";
        return;
      }
      fold(tree);
      draw();
      later();
    });
    kind?.addEventListener("change", choose);
    choose();
    fold(tree);
    draw();
    look();
  };
  start();
})();
