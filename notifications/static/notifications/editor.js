/* Fields in place of JSON, and a preview that follows. The JSON stays what is sent: each field is folded into it. */
"use strict";

(() => {
  const root = document.getElementById("bongsu-editor");
  if (!root) return;
  const $ = (name) => root.querySelector(`[data-${name}]`);
  const isFixed = "fixed" in root.dataset;
  const raw = document.querySelector("textarea[name=content]");
  const sample = document.querySelector("textarea[name=sample_data]");
  if (!isFixed && !raw) return;

  const CHANNELS = { push: "Push", sms: "SMS", email: "Email" };
  const WANTED = { push: "A device's token", sms: "A phone number, as in +821012345678", email: "An email address" };
  const REQUIRED = ["title", "body", "subject"];
  const NUMBERS = ["badge", "ttl"];
  let content = {};
  let channel = "";
  let locale = "";
  let remarks = [];
  let asked = null;
  let timer = 0;

  const element = (tag, text = "", attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const texts = () => (isObject(content[channel]) ? content[channel] : {});
  const said = () => (isObject(texts()[locale]) ? texts()[locale] : {});

  /* What is written, out of the JSON; false where that is none. */
  const read = () => {
    if (isFixed) content = JSON.parse(document.getElementById("bongsu-content").textContent);
    else {
      try {
        content = raw.value.trim() && raw.value.trim() !== "null" ? JSON.parse(raw.value) : {};
      } catch {
        return false;
      }
    }
    return isObject(content);
  };

  const fold = () => {
    raw.value = JSON.stringify(content, null, 2);
    later();
  };

  /* ---- tabs ---------------------------------------------------------------------------------------- */
  const tab = (label, isChosen, choose, marks) => {
    const button = element("button", label, { type: "button", "aria-pressed": String(isChosen) });
    if (marks.length) button.append(element("span", marks.some((one) => one.isMistake) ? " ● mistake" : " ▲", { class: "bongsu-mark" }));
    button.addEventListener("click", choose);
    return button;
  };

  const go = (toChannel, toLocale) => {
    channel = toChannel;
    const known = Object.keys(texts());
    locale = known.includes(toLocale) ? toLocale : known[0] || "";
    show();
  };

  const drawTabs = () => {
    const held = document.activeElement && root.contains(document.activeElement) ? document.activeElement.dataset.tab : "";
    $("channels").replaceChildren(
      ...Object.entries(CHANNELS).flatMap(([name, label]) => {
        const isThere = isObject(content[name]) && Object.keys(content[name]).length > 0;
        if (!isThere && isFixed) return [];
        const choose = () => {
          if (!isThere) {
            content[name] = { [locale || "ko"]: {} };
            fold();
          }
          go(name, locale);
        };
        const made = tab(isThere ? label : `+ ${label}`, name === channel, choose, remarks.filter((one) => one.channel === name));
        made.dataset.tab = `channel ${name}`;
        return [made];
      }),
    );
    $("locales").replaceChildren(
      ...Object.keys(texts()).map((name) => {
        const marks = remarks.filter((one) => one.channel === channel && one.locale === name);
        const made = tab(name, name === locale, () => go(channel, name), marks);
        made.dataset.tab = `locale ${name}`;
        return made;
      }),
    );
    if (held) [...root.querySelectorAll("[data-tab]")].find((one) => one.dataset.tab === held)?.focus();
  };

  /* ---- fields -------------------------------------------------------------------------------------- */
  const put = (name, value) => {
    if (!isObject(content[channel])) content[channel] = {};
    if (!isObject(content[channel][locale])) content[channel][locale] = {};
    const own = content[channel][locale];
    if (value === "" && !REQUIRED.includes(name)) delete own[name];
    else own[name] = NUMBERS.includes(name) && /^\d+$/.test(value.trim()) ? Number(value) : value;
    fold();
  };

  const field = (label, name, value, change) => {
    const holder = element("div", "", { class: "bongsu-editor-field" });
    const input = element("input", "", { id: `bongsu-f-${name}`, "data-field": name, class: "rounded", autocomplete: "off" });
    input.value = value ?? "";
    input.disabled = isFixed;
    input.addEventListener("input", () => change(input.value));
    holder.append(element("label", label, { for: input.id }), input);
    return holder;
  };

  const drawButtons = () => {
    const holder = element("fieldset", "", { class: "bongsu-editor-buttons" });
    holder.append(element("legend", "Buttons"));
    const buttons = Array.isArray(said().buttons) ? said().buttons : [];
    buttons.forEach((button, place) => {
      const change = (name) => (value) => {
        if (value === "" && name === "link") delete button[name];
        else button[name] = value;
        fold();
      };
      const row = element("div", "", { class: "bongsu-editor-row" });
      for (const name of ["id", "label", "link"]) row.append(field(`${place + 1}: ${name}`, `buttons.${place}.${name}`, button[name], change(name)));
      if (!isFixed) {
        const remove = element("button", "Remove", { type: "button", "aria-label": `Remove button ${place + 1}` });
        remove.addEventListener("click", () => {
          buttons.splice(place, 1);
          if (!buttons.length) delete said().buttons;
          fold();
          drawFields();
          root.querySelector("[data-add-button]")?.focus();
        });
        row.append(remove);
      }
      holder.append(row);
    });
    if (!isFixed && buttons.length < 3) {
      const add = element("button", "Add a button", { type: "button", "data-add-button": "" });
      add.addEventListener("click", () => {
        texts()[locale] = { ...said(), buttons: [...buttons, { id: "", label: "" }] };
        fold();
        drawFields();
        root.querySelector(`[data-field="buttons.${buttons.length}.id"]`).focus();
      });
      holder.append(add);
    }
    return holder;
  };

  const drawFields = () => {
    const words = $("words");
    if (!locale) {
      words.replaceChildren(element("p", "Nothing is written here yet: add a language."));
      return;
    }
    words.replaceChildren(root.querySelector(`template[data-fields=${channel}]`).content.cloneNode(true));
    words.querySelectorAll("[data-field]").forEach((input) => {
      const name = input.dataset.field;
      const value = said()[name];
      input.value = value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : value;
      input.lang = locale;
      input.disabled = isFixed;
      input.addEventListener("input", () => put(name, input.value));
    });
    if (channel === "push") words.append(drawButtons());
    if (said().overrides) words.append(element("p", "It has words for single platforms, which are kept; change them as JSON below.", { class: "bongsu-help" }));
    drawMistakes();
  };

  /* Beside the field, with line and column; pressed, it leads there. */
  const reachPlace = (input, line, column) => {
    input.focus();
    if (!line || !input.setSelectionRange) return;
    const before = input.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const at = Math.min(before + Math.max(column - 1, 0), input.value.length);
    input.setSelectionRange(at, at);
  };
  const whereOf = (one) => (one.line ? `Line ${one.line}, column ${one.column}: ` : "");

  const drawMistakes = () => {
    root.querySelectorAll(".bongsu-mistake").forEach((one) => one.remove());
    $("words").querySelectorAll("[data-field]").forEach((input) => {
      const mine = remarks.filter((one) => one.channel === channel && one.locale === locale && one.field === input.dataset.field);
      input.removeAttribute("aria-invalid");
      input.removeAttribute("aria-describedby");
      if (!mine.length) return;
      const note = element("p", "", { class: "bongsu-mistake", id: `${input.id}-mistake` });
      note.append(...mine.map((one) => element("span", whereOf(one) + one.says)));
      input.after(note);
      input.setAttribute("aria-invalid", "true");
      input.setAttribute("aria-describedby", note.id);
    });
  };

  const drawRemarks = () => {
    const line = (one) => {
        const place = [one.channel, one.locale, one.field].filter(Boolean).join(" · ");
        const item = element("li", "", { class: one.isMistake ? "bongsu-bad" : "bongsu-warn" });
        const words = `${one.isMistake ? "Mistake" : "Warning"}: ${place} ${whereOf(one)}${one.says}`;
        const isText = isObject(content[one.channel]) && one.locale in content[one.channel];
        if (!isText) item.textContent = words;
        else {
          const button = element("button", words, { type: "button" });
          button.addEventListener("click", () => {
            go(one.channel, one.locale);
            const input = root.querySelector(`[data-field="${CSS.escape(one.field)}"]`);
            if (input) reachPlace(input, one.line, one.column);
          });
          item.append(button);
        }
        return item;
    };
    const isHere = (one) => !(one.channel in CHANNELS) || (one.channel === channel && one.locale === locale);
    $("remarks").replaceChildren(...remarks.filter(isHere).map(line));
    $("elsewhere").replaceChildren(...remarks.filter((one) => !isHere(one)).map(line));
  };

  /* ---- preview ------------------------------------------------------------------------------------- */
  const choosePreview = () => {
    const isAll = $("all-locales").checked;
    let count = 0;
    root.querySelectorAll(".bongsu-seen").forEach((one) => {
      one.hidden = one.dataset.channel !== channel || (!isAll && one.dataset.locale !== locale);
      count += one.hidden ? 0 : 1;
      const isCut = [...one.querySelectorAll("[data-may-be-cut]")].some((text) => text.scrollHeight > text.clientHeight + 1);
      const note = one.querySelector("[data-cut]");
      if (note) note.hidden = !isCut;
    });
    $("shown").classList.toggle("bongsu-nothing", !count);
  };

  const form = () => {
    const sent = new FormData();
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    sent.set("csrfmiddlewaretoken", token ? token.value : "");
    sent.set("content", isFixed ? document.getElementById("bongsu-content").textContent : raw.value);
    sent.set("sample_data", isFixed ? document.getElementById("bongsu-sample").textContent : sample ? sample.value : "");
    sent.set("recipient", $("recipient") ? $("recipient").value : "");
    const template = document.querySelector("select[name=template]");
    if (root.dataset.version) sent.set("version", root.dataset.version);
    else if (template) sent.set("template", template.value);
    return sent;
  };

  const ask = async (address, sent, signal) => {
    const answer = await fetch(address, { method: "POST", body: sent, signal, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status === 403 ? "You may not do this, or were signed out." : `The server answers ${answer.status}.`);
    return answer.json();
  };

  const refresh = async () => {
    asked?.abort();
    asked = new AbortController();
    try {
      const found = await ask(root.dataset.preview, form(), asked.signal);
      const mark = (isMistake) => (one) => ({ ...one, isMistake });
      remarks = [...found.mistakes.map(mark(true)), ...found.warnings.map(mark(false))];
      const isOpen = root.querySelector(".bongsu-covers")?.open;
      $("shown").innerHTML = found.html; // our own template, which escapes; emails stay in their frames
      if (isOpen) root.querySelector(".bongsu-covers").open = true;
      const nearest = found.locale && [found.locale, found.locale.split("-")[0]].find((one) => one in texts());
      if (nearest && nearest !== locale && document.activeElement === $("recipient")) go(channel, nearest);
      drawTabs();
      drawMistakes();
      drawRemarks();
      choosePreview();
      const count = (list, word) => (list.length ? `${list.length} ${word}${list.length > 1 ? "s" : ""}` : "");
      const told = [count(found.mistakes, "mistake"), count(found.warnings, "warning")].filter(Boolean).join(", ");
      $("status").textContent = told ? `The preview is up to date: ${told}.` : "The preview is up to date. Nothing is wrong.";
    } catch (error) {
      if (error.name !== "AbortError") $("status").textContent = `No preview: ${error.message}`;
    }
  };

  const later = () => {
    $("status").textContent = "Looking …";
    clearTimeout(timer);
    timer = setTimeout(refresh, 350);
  };

  const show = () => {
    drawTabs();
    drawFields();
    drawRemarks();
    choosePreview();
    if ($("try-channel")) {
      $("try-channel").textContent = `${CHANNELS[channel] || ""} · ${locale}`;
      $("try-help").textContent = WANTED[channel] || "";
      if (channel === "email" && !$("to").value) $("to").value = root.dataset.ownEmail;
    }
  };

  /* ---- what can be pressed ------------------------------------------------------------------------- */
  const addLocale = () => {
    const typed = $("new-locale").value.trim();
    let name = typed;
    try {
      [name] = Intl.getCanonicalLocales(typed.replace("_", "-"));
    } catch {
      name = "";
    }
    if (!name) {
      $("status").textContent = "Write a language, and a region if it matters: ko, ko-KR or zh-Hant-TW.";
      return;
    }
    channel ||= "push";
    if (!isObject(content[channel])) content[channel] = {};
    content[channel][name] ??= {};
    $("new-locale").value = "";
    fold();
    go(channel, name);
    $("words").querySelector("[data-field]")?.focus();
  };

  const send = async () => {
    const sent = form();
    sent.set("channel", channel);
    sent.set("locale", locale);
    sent.set("to", $("to").value);
    const says = $("try-says");
    says.textContent = "Sending …";
    says.className = "";
    $("send").disabled = true;
    try {
      const answer = await ask(root.dataset.try, sent);
      says.textContent = answer.says;
      says.className = answer.ok ? "bongsu-good" : "bongsu-bad";
    } catch (error) {
      says.textContent = error.message;
      says.className = "bongsu-bad";
    }
    $("send").disabled = false;
  };

  const onEnter = (input, act) =>
    input?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // it would save the form
      act();
    });

  const start = () => {
    if (!read()) return; // what is no JSON is mended as text
    root.hidden = false;
    if (isFixed) document.querySelector("[class*=field-content]")?.setAttribute("hidden", ""); // the fields say it
    else {
      const row = raw.closest("[class*=field-content]") || raw.parentElement;
      $("raw").append(row);
      if (row.querySelector("[class*=text-red] li")) $("raw").open = true;
      raw.addEventListener("input", () => {
        if (read()) go(channel in content ? channel : Object.keys(content)[0] || "push", locale);
        later();
      });
      sample?.addEventListener("input", later);
      document.querySelector("select[name=template]")?.addEventListener("change", later);
      $("add-locale").addEventListener("click", addLocale);
      onEnter($("new-locale"), addLocale);
      $("remove-locale").addEventListener("click", () => {
        if (!locale || !window.confirm(`Remove what ${CHANNELS[channel]} says in ${locale}?`)) return;
        delete content[channel][locale];
        if (!Object.keys(content[channel]).length) delete content[channel];
        fold();
        go(channel in content ? channel : Object.keys(content)[0] || "push", locale);
      });
    }
    $("recipient")?.addEventListener("input", later);
    onEnter($("recipient"), refresh);
    $("all-locales").addEventListener("change", choosePreview);
    $("send")?.addEventListener("click", send);
    onEnter($("to"), send);
    const first = Object.keys(CHANNELS).find((name) => isObject(content[name])) || "push";
    const language = isObject(content[first]) ? Object.keys(content[first]) : [];
    go(first, language.includes("ko") ? "ko" : language[0] || "");
    refresh();
  };
  start();
})();
