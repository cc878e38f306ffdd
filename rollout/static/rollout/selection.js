// While a selection is at work, show how far it is; without this file the link beside the bar does.
"use strict";

const EVERY = 3000; // milliseconds
const work = document.getElementById("selection-work");

async function look() {
  const answer = await fetch(window.location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = page.getElementById("selection-work");
  if (now === null) {
    window.location.reload();
    return;
  }
  work.replaceChildren(...now.childNodes);
  window.setTimeout(look, EVERY);
}

if (work !== null) window.setTimeout(look, EVERY);
