// Keeps a part of a page fresh: fetches it again every few seconds while it says so, or once where it was left for later.
// What it is about may be over: then the page is another one, and is loaded anew.
// Without this script the part stands as it came, or a link leads to it.
"use strict";
(() => {
  const show = (part, text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
    if (!fresh) return part;
    part.replaceWith(fresh);
    fresh.dispatchEvent(new Event("phoenix:shown", { bubbles: true }));
    return fresh;
  };
  const ask = async (address) => {
    const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    return answer.text();
  };
  const later = async (part) => {
    try { show(part, await ask(part.dataset.later)); } catch { part.removeAttribute("aria-busy"); }
  };
  const keep = (part) => {
    if (!part.dataset.live) return;
    let stopped = false;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet refresh";
    const say = () => { button.textContent = stopped ? "Refresh by itself" : "Stop refreshing"; button.setAttribute("aria-pressed", String(stopped)); };
    button.addEventListener("click", () => { stopped = !stopped; say(); });
    say();
    const place = () => part.querySelector(".refresh-place")?.append(button);
    const again = async () => {
      if (!stopped && !document.hidden && !part.querySelector("form :focus, a:focus, summary:focus")) {
        try {
          const text = await ask(part.dataset.live);
          const hadFocus = document.activeElement === button;
          part = show(part, text);
          if ("over" in part.dataset) window.location.reload();
          if (!part.dataset.live) return;
          place();
          if (hadFocus) button.focus({ preventScroll: true });
        } catch { stopped = true; say(); return; }
      }
      setTimeout(again, Number(part.dataset.every) * 1000);
    };
    place();
    setTimeout(again, Number(part.dataset.every) * 1000);
  };
  document.querySelectorAll("[data-later]").forEach(later);
  document.querySelectorAll("[data-live]").forEach(keep);
})();
