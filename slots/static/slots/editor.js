// The editor of a draft while somebody types: checks, shows and moves rows. Without scripts the buttons do the same.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("slots-editor");
  const blank = document.getElementById("slots-blank");
  if (!form || !blank) {
    return;
  }
  const rows = document.getElementById("slots-rows");
  const text = document.getElementById("slots-text");
  const state = document.getElementById("slots-state");
  const WAIT = 400; // milliseconds after the last key
  let asked = 0;
  let timer = 0;
  let made = 0;

  const uses = (row) => {
    const what = row.querySelector("select[name^=what-]");
    const chosen = what && what.selectedOptions[0];
    for (const field of row.querySelectorAll("[data-field]")) {
      field.hidden = !(chosen.dataset.uses || "").includes(field.dataset.field);
    }
  };

  const button = (label, deed) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button quiet";
    made.textContent = label;
    made.addEventListener("click", deed);
    return made;
  };

  const renumber = () => {
    [...rows.children].forEach((row, index) => {
      row.querySelector("[name^=position-]").value = index + 1;
      row.querySelectorAll("button").forEach((each) => each.setAttribute("aria-label", `${each.textContent}, operation ${index + 1}`));
    });
  };

  const dress = (row) => {
    uses(row);
    const move = row.querySelector(".slots-move");
    const gone = move.querySelector("[name^=gone-]");
    move.querySelectorAll("label, input[type=number]").forEach((each) => (each.hidden = true));
    const go = (to) => (event) => {
      const other = to < 0 ? row.previousElementSibling : row.nextElementSibling;
      if (other) {
        other[to < 0 ? "before" : "after"](row);
        event.target.focus();
        renumber();
        later("rows");
      }
    };
    move.append(
      button("Up", go(-1)),
      button("Down", go(1)),
      button("Take out", () => {
        const next = row.nextElementSibling || row.previousElementSibling;
        gone.checked = true;
        row.remove();
        (next ? next.querySelector("select, button") : document.getElementById("slots-add")).focus();
        renumber();
        later("rows");
      }),
    );
  };

  const dressAll = () => {
    [...rows.children].forEach(dress);
    renumber();
  };

  const said = (issue) => {
    const line = document.createElement("li");
    const code = document.createElement("strong");
    code.textContent = issue.code;
    line.append(code, ` ${issue.place} ${issue.text} ${issue.suggestion}`);
    return line;
  };

  const keys = () => [...rows.querySelectorAll("input[name=row]")].map((each) => each.value);

  const say = (answer, order) => {
    state.textContent = answer.summary;
    form.querySelectorAll(".slots-row-issues").forEach((list) => list.replaceChildren());
    form.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
    for (const issue of answer.issues) {
      const key = order[issue.row];
      const list = document.getElementById(`issues-${key}`) || document.getElementById("issues-general");
      list.append(said(issue));
      const what = document.getElementById(`what-${key}`);
      if (what) {
        what.setAttribute("aria-invalid", "true");
      }
    }
  };

  // A frame of its own for each try: the first page of a frame leaves no step in the browser's history.
  const show = (source) => {
    for (const pressed of form.querySelectorAll("[data-frame]")) {
      const name = `slots-frame-${pressed.dataset.frame}`;
      const old = pressed.closest("figure").querySelector("iframe:last-of-type");
      const fresh = document.createElement("iframe");
      fresh.setAttribute("sandbox", "");
      fresh.title = old.title;
      fresh.name = `${name}-${++made}`;
      fresh.className = "coming";
      old.after(fresh);
      const send = document.createElement("form");
      send.method = "post";
      send.action = pressed.formAction;
      send.target = fresh.name;
      send.hidden = true;
      for (const [field, value] of data(source)) {
        const input = document.createElement("input");
        input.type = "hidden";
        input.name = field;
        input.value = value;
        send.append(input);
      }
      document.body.append(send);
      let loads = 0;
      fresh.addEventListener("load", () => {
        if (++loads > 0 && fresh.isConnected) {
          [...fresh.parentElement.querySelectorAll("iframe")].forEach((each) => each !== fresh && each.compareDocumentPosition(fresh) & 4 && each.remove());
          fresh.className = "";
          fresh.name = name;
        }
      });
      send.submit();
      send.remove();
    }
  };

  const data = (source) => {
    const found = new FormData(form);
    found.set("source", source);
    return found;
  };

  // What cannot be numbered in the order of the rows with a choice is skipped by the server; so are blank rows here.
  const counted = () =>
    keys().filter((key) => {
      const what = document.getElementById(`what-${key}`);
      const id = form.querySelector(`[name="id-${key}"]`);
      return (what && what.value) || (id && id.value);
    });

  const check = async (source) => {
    const mine = ++asked;
    const order = counted();
    const answered = await fetch(form.dataset.check, { method: "POST", body: data(source), credentials: "same-origin" }).catch(() => null);
    if (mine !== asked) {
      return;
    }
    if (!answered || !answered.ok) {
      state.textContent = "It could not be checked now. Storing it checks it again.";
      return;
    }
    const answer = await answered.json();
    if (mine !== asked) {
      return;
    }
    if (answer.text !== undefined) {
      text.value = answer.text;
    }
    if (answer.rows !== undefined) {
      rows.innerHTML = answer.rows;
      dressAll();
    }
    say(answer, answer.rows === undefined ? order : keys());
    if (answer.is_storable) {
      show(source);
    }
  };

  const later = (source) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => check(source), WAIT);
  };

  rows.addEventListener("input", (event) => {
    uses(event.target.closest("li"));
    later("rows");
  });
  text.addEventListener("input", () => later("text"));
  document.getElementById("slots-add").addEventListener("click", (event) => {
    event.preventDefault();
    const key = `n${++made}`;
    const holder = document.createElement("ol");
    holder.innerHTML = blank.innerHTML.replaceAll("‹row›", key);
    const row = holder.firstElementChild;
    rows.append(row);
    dress(row);
    renumber();
    row.querySelector("select").focus();
  });
  dressAll();
});
