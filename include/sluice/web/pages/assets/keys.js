// Alt+K leads to what stands before this page in its list, Alt+J to what stands after it: the links do the same where no
// script runs. Always with Alt, because a letter alone is a command of a screen reader, and never while somebody types.
"use strict";
{
  const links = [...document.querySelectorAll("a[data-key]")];
  document.querySelectorAll("[data-keys]").forEach((each) => { each.hidden = false; });
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.repeat) return;
    if (event.target instanceof Element && event.target.closest("input, select, textarea")) return;
    const key = /^[a-z]$/i.test(event.key) ? event.key : event.code.replace("Key", ""); // on a Mac, Alt+J gives another sign
    const link = links.find((each) => each.dataset.key === key.toLowerCase());
    if (link) { event.preventDefault(); link.click(); }
  });
}
