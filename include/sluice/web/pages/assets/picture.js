// Zoom without loading the page again: the links do the same where no script runs. + and - work inside the picture.
"use strict";
const links = [...document.querySelectorAll(".zoom a[data-zoom]")];
const picture = document.querySelector(".picture .lineage");
if (picture && links.length) {
  const show = (link) => {
    const { width, height } = picture.viewBox.baseVal;
    picture.setAttribute("width", (width * link.dataset.zoom) / 100);
    picture.setAttribute("height", (height * link.dataset.zoom) / 100);
    links.forEach((each) => each.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
    history.replaceState(null, "", link.href);
  };
  links.forEach((link) => link.addEventListener("click", (event) => { event.preventDefault(); show(link); }));
  picture.closest(".picture").addEventListener("keydown", (event) => {
    const step = { "+": 1, "-": -1 }[event.key];
    const at = links.findIndex((each) => each.hasAttribute("aria-current"));
    if (step && links[at + step]) { event.preventDefault(); show(links[at + step]); }
  });
}
