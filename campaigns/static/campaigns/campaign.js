/* The form of a campaign: shows what the chosen schedule asks for, and says what it means while it is typed. */
"use strict";

(() => {
  const WAIT = 400;

  const field = (name) => document.getElementById(`id_${name}`);
  const valueOf = (name) => { const one = field(name); return one ? one.value : ""; };
  const tokenOf = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

  const templates = () =>
    [...document.querySelectorAll("select[id^='id_variants-'][id$='-template']")]
      .filter((one) => !one.id.includes("__prefix__") && one.value)
      .filter((one) => { const gone = document.getElementById(one.id.replace(/template$/, "DELETE")); return !(gone && gone.checked); })
      .map((one) => one.value);

  /* A line of the form, and the row that it may share with another. */
  const reveal = (name, isShown) => {
    const line = document.querySelector(`.field-line.field-${name}`);
    if (!line) return;
    line.hidden = !isShown && !line.querySelector(".errorlist");
    const row = line.closest(".field-row");
    if (row) row.hidden = [...row.querySelectorAll(".field-line")].every((one) => one.hidden);
  };

  /* `askedBy`: which fields each kind of schedule asks for. */
  const arrange = (askedBy) => {
    const timed = [...new Set(Object.values(askedBy).flat())];
    const asked = askedBy[valueOf("schedule_kind")] || timed;
    timed.forEach((name) => reveal(name, asked.includes(name)));
    if (valueOf("window_from") || valueOf("window_until")) reveal("zone", true);
    const several = templates().length > 1;
    const isTest = Number(valueOf("test_percent")) < 100;
    reveal("split", several || valueOf("split") !== "fixed");
    reveal("goal", several || Number(valueOf("holdout_percent")) > 0);
    reveal("test_percent", several || isTest);
    ["decide_after_hours", "decide_by_hours"].forEach((name) => reveal(name, isTest));
    reveal("sure_percent", several);
    const tried = field("split") && field("split").closest("fieldset");
    if (tried) tried.hidden = [...tried.querySelectorAll(".field-row")].every((row) => row.hidden);
  };

  const meaning = (name) => {
    const line = document.querySelector(`.field-line.field-${name}`);
    const row = line && line.closest(".field-row");
    if (!row) return null;
    const box = document.createElement("div");
    box.className = "campaign-meaning";
    box.setAttribute("role", "status");
    box.setAttribute("aria-live", "polite");
    row.after(box);
    return box;
  };

  const line = (words, name = "") => {
    const one = document.createElement("p");
    one.textContent = words;
    if (name) one.className = name;
    return one;
  };

  const listOf = (words) => {
    const list = document.createElement("ul");
    words.forEach((word) => { const item = document.createElement("li"); item.textContent = word; list.append(item); });
    return list;
  };

  const startForm = (box) => {
    const when = meaning("schedule_kind");
    const needs = meaning("data");
    const askedBy = JSON.parse(document.getElementById("campaign-asked-by").textContent);
    let timer = 0;
    let asked = 0;
    let sent = "";

    const tell = (found) => {
      when.replaceChildren();
      if (found.words) when.append(line(found.words));
      if (found.moments.length) when.append(line(found.moments.length > 1 ? `The next ${found.moments.length} times:` : "That is:"), listOf(found.moments));
      Object.entries(found.problems).forEach(([name, says]) => { if (valueOf(name)) when.append(line(says, "campaign-wrong")); });
      needs.replaceChildren(...found.needs.map((says) => line(says)));
    };

    const ask = async () => {
      const values = new URLSearchParams();
      ["schedule_kind", "crontab", "every", "every_unit", "starts_wall", "ends_wall", "zone"].forEach((name) => values.set(name, valueOf(name)));
      const local = field("in_local_time");
      if (local && local.checked) values.set("in_local_time", "on");
      templates().forEach((key) => values.append("template", key));
      if (values.toString() === sent) return;
      sent = values.toString();
      const mine = ++asked;
      try {
        const answer = await fetch(box.dataset.words, { method: "POST", body: values, headers: { "X-CSRFToken": tokenOf() }, redirect: "error" });
        if (answer.ok && mine === asked) tell(await answer.json());
      } catch {
        sent = ""; /* asked again with the next key */
      }
    };

    const changed = () => {
      arrange(askedBy);
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, WAIT);
    };
    const form = document.getElementById("campaign_form");
    form.addEventListener("input", changed);
    form.addEventListener("change", changed);
    document.addEventListener("formset:added", changed);
    document.addEventListener("formset:removed", changed);
    arrange(askedBy);
    ask();
  };

  /* The button says how many get something, once that is known, and not how many are asked. */
  const tellReach = (estimate) => {
    const button = document.querySelector("button[data-reach]");
    if (!estimate || !button) return;
    const { reached, people } = estimate.dataset;
    const told = (number) => Number(number).toLocaleString("en");
    button.textContent = `${button.dataset.reach}: ${reached === people ? "" : `${told(reached)} of `}${told(people)} ${people === "1" ? "person" : "people"}`;
  };

  /* Parts of the page that take a moment are fetched once it is there. */
  const fetchInto = async (part) => {
    const into = part.querySelector("[data-into]");
    try {
      const answer = await fetch(part.dataset.fragment, { redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      into.innerHTML = await answer.text();
      tellReach(into.querySelector("[data-reached]"));
    } catch {
      into.textContent = "This could not be fetched. Load the page again.";
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-fragment]").forEach((part) => {
      const button = part.querySelector("button[data-fetch]");
      if (button) button.addEventListener("click", () => { button.disabled = true; fetchInto(part); });
      else fetchInto(part);
    });
    const box = document.getElementById("campaign-form");
    if (box) startForm(box);
  });
})();
