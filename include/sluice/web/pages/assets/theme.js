// The pages follow the theme of the Airflow around them; without it the style sheet follows the machine.
"use strict";
try {
  const around = window.parent.document.documentElement;
  const follow = () => {
    const theme = ["dark", "light"].find((name) => around.classList.contains(name));
    document.documentElement.classList.remove("dark", "light");
    if (theme) document.documentElement.classList.add(theme);
  };
  follow();
  if (window.parent !== window) new MutationObserver(follow).observe(around, { attributeFilter: ["class"] });
} catch {
  // another origin: nothing to follow
}
