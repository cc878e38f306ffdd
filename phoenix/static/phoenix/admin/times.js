// Adds the viewer's own time to every instant; without this script UTC stands.
"use strict";
(() => {
  const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });
  const two = (number) => String(number).padStart(2, "0");
  const day = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const add = (place) => {
    for (const element of place.querySelectorAll("time[datetime]:not([data-local])")) {
      const at = new Date(element.dateTime);
      if (Number.isNaN(at.valueOf()) || at.getTimezoneOffset() === 0) continue;
      const name = zone.formatToParts(at).find((part) => part.type === "timeZoneName").value;
      const there = document.createElement("span");
      there.className = "utc";
      there.textContent = at.toISOString().startsWith(day(at)) ? `(${at.toISOString().slice(11, 16)} UTC)` : `(${element.textContent.trim()})`;
      element.dataset.local = "";
      element.replaceChildren(`${day(at)} ${two(at.getHours())}:${two(at.getMinutes())} ${name} `, there);
    }
  };
  add(document);
  document.addEventListener("phoenix:shown", (event) => add(event.target));
})();
