// Single keys on the review pages, which can be switched off (WCAG 2.1.4) and do nothing while somebody types; and what was
// chosen last of looks and widths. Without scripts the pages work by links and the radio buttons alone.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const kept = (name, value) => {
    try {
      return value === undefined ? localStorage.getItem(name) : localStorage.setItem(name, value);
    } catch {
      return null; // a browser may keep nothing
    }
  };
  for (const name of ["look", "width"]) {
    for (const input of document.querySelectorAll(`.chosen input[name=${name}]`)) {
      input.checked = input.checked || input.value === kept(`phoenix-review-${name}`);
      input.addEventListener("change", () => kept(`phoenix-review-${name}`, input.value));
    }
  }

  const help = document.getElementById("keys");
  if (!help) {
    return;
  }
  const on = document.getElementById("keys-on");
  on.checked = kept("phoenix-review-keys") !== "off";
  on.addEventListener("change", () => kept("phoenix-review-keys", on.checked ? "on" : "off"));
  help.hidden = false;

  const choose = (decision) => {
    const input = document.querySelector(`#decision input[name=decision][value=${decision}]`);
    if (input) {
      input.checked = true;
      document.querySelector("#decision input[name=reason]").focus();
    }
    return Boolean(input);
  };
  const step = (by) => {
    const rows = Array.from(document.querySelectorAll("[data-row]"));
    const here = rows.indexOf(document.activeElement);
    const row = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(here + by, 0), rows.length - 1)];
    row?.focus();
    return Boolean(row);
  };
  const follow = (key) => {
    const link = document.querySelector(`a[data-key="${key}"]`);
    link?.click();
    return Boolean(link);
  };
  const acts = {
    "?": () => {
      help.open = !help.open;
      help.querySelector("summary").focus();
      return true;
    },
    a: () => choose("accepted"),
    r: () => choose("refused"),
    j: () => follow("j") || step(1),
    k: () => follow("k") || step(-1),
    e: () => follow("e"),
    u: () => follow("u"),
  };
  const types = (target) =>
    target.isContentEditable ||
    target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=submit], [type=button])");
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest("#decision")) {
      event.target.blur();
      return;
    }
    const act = acts[event.key];
    if (!act || !on.checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat || types(event.target)) {
      return;
    }
    if (act()) {
      event.preventDefault();
    }
  });
});
