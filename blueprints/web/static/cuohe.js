// The little that pages need to move: theme, countdowns, questions before sending, htmx manners, charts.
(function () {
  "use strict";

  var root = document.documentElement;
  var words = JSON.parse(document.getElementById("words").textContent);

  function fill(pattern, values) {
    return pattern.replace(/\{(\w+)\}/g, function (_, name) {
      return values[name];
    });
  }

  // Theme

  document.addEventListener("click", function (event) {
    if (!event.target.closest("[data-theme-toggle]")) return;
    var theme = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    root.setAttribute("data-bs-theme", theme);
    try {
      localStorage.setItem("cuohe-theme", theme);
    } catch (refused) {
      // The choice then lasts for this page only.
    }
    document.dispatchEvent(new CustomEvent("cuohe:theme"));
  });

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) window.print();
  });

  // Countdowns run on the zone's time: the server said what time it is, this clock only adds what has passed.

  var serverStart = Date.parse(root.dataset.now);
  var ownStart = performance.now();

  function zoneNow() {
    return serverStart + (performance.now() - ownStart);
  }

  function span(milliseconds) {
    var seconds = Math.floor(Math.abs(milliseconds) / 1000);
    var days = Math.floor(seconds / 86400);
    var hours = Math.floor((seconds % 86400) / 3600);
    var minutes = Math.floor((seconds % 3600) / 60);
    if (days) return fill(words.days, { n: days }) + (hours ? " " + fill(words.hours, { n: hours }) : "");
    if (hours) return fill(words.hours, { n: hours }) + (minutes ? " " + fill(words.minutes, { n: minutes }) : "");
    if (minutes >= 10) return fill(words.minutes, { n: minutes });
    var rest = fill(words.seconds, { n: seconds % 60 });
    return minutes ? fill(words.minutes, { n: minutes }) + " " + rest : rest;
  }

  function tick() {
    document.querySelectorAll("[data-until]").forEach(function (element) {
      var left = Date.parse(element.dataset.until) - zoneNow();
      var shown = element.querySelector(".countdown-left");
      var text = fill(left > 0 ? words.left : words.ago, { span: span(left) });
      if (shown && shown.textContent !== text) shown.textContent = text;
      element.classList.toggle("countdown-near", left > 0 && left < 86400000);
      element.classList.toggle("countdown-over", left <= 0);
    });
  }

  tick();
  setInterval(tick, 1000);

  // A question before something is sent that cannot be undone. Without this script the form is sent at once.

  var ask = document.getElementById("ask");

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-ask]");
    if (!button || button.dataset.asked === "yes" || !ask || !ask.showModal) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask.querySelector(".ask-title").textContent = button.dataset.ask;
    ask.querySelector(".ask-text").textContent = button.dataset.askText || "";
    ask.querySelector("[value=yes]").textContent = button.dataset.askYes || button.textContent.trim();
    ask.returnValue = "no";
    ask.onclose = function () {
      if (ask.returnValue !== "yes") return button.focus();
      button.dataset.asked = "yes";
      button.click();
      delete button.dataset.asked;
    };
    ask.showModal();
  }, true);

  // A form is sent once: a second click on a slow line must not place a second bid.

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent === "yes") return event.preventDefault();
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
    setTimeout(function () {
      release(form);
    }, 15000);
  });

  function release(form) {
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
  }

  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(release);
  });

  // htmx: our CSRF token on every change, faulty forms shown as they come, and a word when the line is down.

  function notice(text) {
    var box = document.getElementById("notice");
    if (!box) return;
    box.textContent = text;
    box.hidden = false;
    clearTimeout(notice.timer);
    notice.timer = setTimeout(function () {
      box.hidden = true;
    }, 6000);
  }

  document.body.addEventListener("htmx:configRequest", function (event) {
    var token = document.querySelector("meta[name=csrf-token]");
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
  });
  document.body.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.xhr.status === 409 || event.detail.xhr.status === 422) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  ["htmx:sendError", "htmx:timeout"].forEach(function (name) {
    document.body.addEventListener(name, function () {
      notice(words.failed);
    });
  });
  document.body.addEventListener("htmx:afterSwap", function (event) {
    tick();
    drawCharts();
    reachScrollers();
    focusFaults(event.detail.target);
  });

  // A list larger than its place scrolls; the keyboard must reach it to scroll.

  function reachScrollers() {
    document.querySelectorAll(".table-frame").forEach(function (frame) {
      var scrolls = frame.scrollWidth > frame.clientWidth + 1 || frame.scrollHeight > frame.clientHeight;
      if (scrolls) frame.setAttribute("tabindex", "0");
      else frame.removeAttribute("tabindex");
    });
  }

  reachScrollers();
  window.addEventListener("resize", reachScrollers);

  // After a refusal the reader starts at the summary of what is wrong.

  function focusFaults(part) {
    var summary = part.querySelector("[data-focus]");
    if (summary) summary.focus();
  }

  focusFaults(document);

  // Charts are drawn by a large library, fetched only by pages that have one.

  function drawCharts() {
    if (!document.querySelector("[data-chart]")) return;
    if (window.cuoheCharts) return window.cuoheCharts.draw();
    if (drawCharts.asked) return;
    drawCharts.asked = true;
    var meta = document.querySelector("meta[name=chart-scripts]");
    meta.content.split(" ").reduce(function (before, address) {
      return before.then(function () {
        return new Promise(function (done) {
          var script = document.createElement("script");
          script.src = address;
          script.onload = script.onerror = done;
          document.head.appendChild(script);
        });
      });
    }, Promise.resolve());
  }

  drawCharts();
})();
