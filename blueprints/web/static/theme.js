// Runs before the first paint, so that a dark page never flashes white.
(function () {
  "use strict";
  var theme = null;
  try {
    theme = localStorage.getItem("cuohe-theme");
  } catch (refused) {
    // A browser that keeps nothing follows the system below.
  }
  if (theme !== "dark" && theme !== "light") {
    theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.setAttribute("data-bs-theme", theme);
})();
