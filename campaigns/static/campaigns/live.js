/* The page of a run keeps itself up to date: every other second while somebody looks at it.
   Once the run is over people still read and click: then it does so less often. */
"use strict";

(() => {
  const EVERY = 2000;
  const AFTERWARDS = 5000;
  const MOST = 30000;

  document.addEventListener("DOMContentLoaded", () => {
    const page = document.querySelector("[data-live]");
    if (!page) return;
    const part = (name) => page.querySelector(`[data-${name}]`);
    let timer = 0;
    let misses = 0;
    let pause = "over" in page.dataset ? AFTERWARDS : EVERY;

    const show = (found) => {
      const open = [...page.querySelectorAll("details[data-keep]")].filter((one) => one.open).map((one) => one.dataset.keep);
      part("progress").innerHTML = found.html;
      open.forEach((name) => { const one = page.querySelector(`details[data-keep="${name}"]`); if (one) one.open = true; });
      /* the token of each form is new every time: only other buttons are worth losing the focus for */
      const wordsOf = (html) => { const box = document.createElement("div"); box.innerHTML = html; return box.textContent.replace(/\s+/g, " "); };
      const buttons = part("buttons");
      if (wordsOf(buttons.innerHTML) !== wordsOf(found.buttons)) buttons.innerHTML = found.buttons;
      if (part("says").textContent !== found.says) part("says").textContent = found.says;
    };

    const ask = async () => {
      window.clearTimeout(timer);
      if (document.hidden) return;
      try {
        const answer = await fetch(page.dataset.live, { headers: { Accept: "application/json" }, redirect: "error" });
        if (!answer.ok) throw new Error(String(answer.status));
        const found = await answer.json();
        misses = 0;
        show(found);
        pause = found.is_over ? AFTERWARDS : EVERY;
      } catch {
        misses += 1;
      }
      timer = window.setTimeout(ask, Math.min(MOST, pause * 2 ** misses));
    };

    document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
    timer = window.setTimeout(ask, pause);
  });
})();
