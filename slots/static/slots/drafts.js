// Shows of the form that adds a change only the fields that the chosen change uses; without scripts all of them show.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("slots-change");
  const what = form && form.querySelector("select[name=what]");
  if (!what) {
    return;
  }
  const uses = new Map(what.dataset.uses.split(" ").map((each) => each.split(":")));
  const show = () => {
    for (const [field, letter] of [["name", "n"], ["text", "t"]]) {
      const input = form.querySelector(`[name=${field}]`);
      input.closest("div").hidden = !uses.get(what.value).includes(letter);
    }
  };
  what.addEventListener("change", show);
  show();
});
