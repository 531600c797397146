/* Where the theme's markup lets nobody in without a mouse, or without eyes: names and keys for its controls. */
"use strict";

(() => {
  const named = (element, name) => {
    if (!element.getAttribute("aria-label") && !element.getAttribute("aria-labelledby")) element.setAttribute("aria-label", name);
  };

  /* A control that only the mouse can work becomes a button: reached by Tab, pressed by Enter or Space. */
  const pressable = (element, name) => {
    if (element.dataset.bongsuPressable) return;
    element.dataset.bongsuPressable = "1";
    if (!element.hasAttribute("tabindex")) element.tabIndex = 0;
    if (!element.hasAttribute("role")) element.setAttribute("role", "button");
    if (name) named(element, name);
    element.addEventListener("keydown", (event) => {
      if (event.target === element && (event.key === "Enter" || event.key === " ")) {
        event.preventDefault();
        element.click();
      }
    });
  };

  const wordsOf = (element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.remove());
    return copy.textContent.trim().replace(/\s+/g, " ");
  };

  const mend = () => {
    document.querySelectorAll("button, a").forEach((control) => {
      if (/^(computer|light_mode|dark_mode)/.test(control.textContent.trim()) && !wordsOf(control)) named(control, "Light or dark");
    });
    /* the names of icons are letters of a font: no words to be read out */
    document.querySelectorAll(".material-symbols-outlined").forEach((icon) => {
      if (!icon.hasAttribute("x-on:click")) icon.setAttribute("aria-hidden", "true");
      const holder = icon.closest("a, button");
      if (holder && !wordsOf(holder) && !holder.title) named(holder, icon.textContent.trim().replaceAll("_", " "));
    });
    document.querySelectorAll("[x-on\\:click]:not(button, a[href], input, select, textarea, label, body, form)").forEach((control) => {
      const icon = control.textContent.trim();
      const isMenu = control.classList.contains("material-symbols-outlined") && icon === "dock_to_right";
      if (control.matches("span, a, div, h2, img") && getComputedStyle(control).cursor === "pointer") {
        pressable(control, isMenu ? "Menu" : wordsOf(control) || icon.replaceAll("_", " "));
      }
    });
    document.querySelectorAll(".help-tooltip[aria-label]").forEach((tip) => tip.setAttribute("role", "img"));
    document.querySelectorAll("#searchbar-submit").forEach((button) => named(button, "Search"));
    document.querySelectorAll("#searchbar").forEach((field) => named(field, field.placeholder || "Search"));
    document.querySelectorAll("#action-toggle").forEach((box) => named(box, "All on this page"));
    document.querySelectorAll("input.action-select").forEach((box) => {
      const row = box.closest("tr, tbody");
      const link = row && row.querySelector("th a, td a");
      named(box, `Choose ${link ? link.textContent.trim() : "this one"}`);
    });
    document.querySelectorAll("select[name=action]").forEach((list) => named(list, "Action"));
    /* fields of inline tables are named by the heads of their columns */
    document.querySelectorAll("table :is(input, select, textarea):not([type=hidden])").forEach((field) => {
      if (field.labels && field.labels.length && field.labels[0].textContent.trim()) return;
      const cell = field.closest("td");
      const head = cell && cell.closest("table").querySelectorAll("thead th")[cell.cellIndex];
      if (head && head.textContent.trim()) named(field, wordsOf(head));
      else if (field.name) named(field, field.name.split("-").pop().replaceAll("_", " "));
    });
    document.querySelectorAll("[data-simplebar] .simplebar-content-wrapper, .overflow-auto, .overflow-x-auto, .bongsu-scroll").forEach((area) => {
      if (area.scrollWidth > area.clientWidth + 1 && !area.querySelector("a, button, input")) area.tabIndex = 0;
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    mend();
    /* what Alpine and the inlines make comes later */
    new MutationObserver(() => window.requestAnimationFrame(mend)).observe(document.body, { childList: true, subtree: true });
  });
})();
