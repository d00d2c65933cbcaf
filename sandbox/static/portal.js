// Makes the portal's pages livelier: they work without it, by plain forms and links.
(function () {
  "use strict";
  var EVERY = 2000;
  var mark = "";
  document.documentElement.classList.add("scripted");

  function busy(region) {
    // A region somebody is typing in, or has typed in, stays as it is.
    if (region.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) { return true; }
    return Array.prototype.some.call(region.querySelectorAll("input, textarea, select"), function (field) {
      if (field.type === "hidden") { return false; }
      if (field.type === "file") { return field.files.length > 0; }
      if (field.type === "checkbox") { return field.checked !== field.defaultChecked; }
      if (field.tagName === "SELECT") {
        // Where no option is marked as chosen, the first one is.
        var given = Array.prototype.findIndex.call(field.options, function (o) { return o.defaultSelected; });
        return field.selectedIndex !== Math.max(given, 0);
      }
      return field.value !== field.defaultValue;
    });
  }

  function focusPath() {
    var form = document.activeElement && document.activeElement.closest("form");
    return form ? form.getAttribute("action") : "";
  }

  function show(html, quiet, sent) {
    var fresh = new DOMParser().parseFromString(html, "text/html");
    if (!fresh.getElementById("told")) { location.reload(); return; }
    var focused = focusPath();
    document.querySelectorAll("[data-live]").forEach(function (region) {
      var other = fresh.getElementById(region.id);
      if (!other || region.innerHTML === other.innerHTML) { return; }
      if (busy(region) && !(sent && region.contains(sent))) { return; }
      var left = region.scrollLeft;
      region.innerHTML = other.innerHTML;
      region.scrollLeft = left;
    });
    if (!quiet) { document.getElementById("told").innerHTML = fresh.getElementById("told").innerHTML; }
    if (focused && document.activeElement === document.body) {
      var again = Array.prototype.find.call(document.forms, function (form) { return form.getAttribute("action") === focused; });
      var button = again && again.querySelector("button");
      if (button) { button.focus({ preventScroll: true }); }
    }
  }

  function refresh() {
    return fetch(location.href, { headers: { "X-Sandbox-Quiet": "1" } })
      .then(function (answer) { return answer.text(); })
      .then(function (html) { show(html, true); });
  }

  function look() {
    if (document.visibilityState !== "visible") { return Promise.resolve(); }
    return fetch("/_sandbox/changes?since=" + encodeURIComponent(mark))
      .then(function (answer) { return answer.json(); })
      .then(function (news) {
        var first = mark === "";
        mark = news.mark;
        document.getElementById("clock").textContent = news.clock;
        document.getElementById("requests").textContent = news.requests;
        var unread = document.getElementById("unread");
        unread.textContent = news.unread;
        unread.hidden = !news.unread;
        if (news.changed && !first) { return refresh(); }
      })
      .catch(function () { /* the portal is away for a moment: the next look finds it */ });
  }

  function send(form, body) {
    return fetch(form.getAttribute("action") || location.href, { method: "POST", body: body })
      .then(function (answer) { return answer.text(); })
      .then(function (html) {
        if (form.querySelector("textarea, input:not([type=hidden])")) { form.reset(); }
        show(html, false, form);
        look();
      })
      .catch(function () { location.reload(); });
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    var sure = form.getAttribute("data-sure");
    if (sure && !window.confirm(sure)) { event.preventDefault(); return; }
    if (!form.hasAttribute("data-live-form")) { return; }
    event.preventDefault();
    var body = new FormData(form);
    if (event.submitter && event.submitter.name) { body.set(event.submitter.name, event.submitter.value); }
    send(form, body);
  });

  document.addEventListener("change", function (event) {
    if (event.target.hasAttribute("data-submit")) { event.target.form.requestSubmit(); }
    if (event.target.hasAttribute("data-pipeline")) { location.href = event.target.value; }
  });

  // Cards of a board are dragged between columns; the select on a card does the same.
  var dragged = null;
  document.addEventListener("dragstart", function (event) {
    dragged = event.target.closest && event.target.closest("[data-move]");
    if (!dragged) { return; }
    event.dataTransfer.setData("text/plain", dragged.getAttribute("data-move"));
    event.dataTransfer.effectAllowed = "move";
    dragged.classList.add("dragged");
  });
  function column(event) { return event.target.closest && event.target.closest("[data-stage]"); }
  function leave() {
    document.querySelectorAll(".over").forEach(function (c) { c.classList.remove("over"); });
  }
  document.addEventListener("dragover", function (event) {
    var over = column(event);
    if (!dragged || !over) { return; }
    event.preventDefault();
    leave();
    over.classList.add("over");
  });
  document.addEventListener("dragend", function () {
    leave();
    if (dragged) { dragged.classList.remove("dragged"); }
    dragged = null;
  });
  document.addEventListener("drop", function (event) {
    var over = column(event);
    if (!dragged || !over) { return; }
    event.preventDefault();
    var body = new FormData();
    body.set("stageId", over.getAttribute("data-stage"));
    over.querySelector(".tiles").prepend(dragged);
    send(dragged.querySelector("form"), body);
  });

  document.addEventListener("click", function (event) {
    var machine = document.querySelector(".machine[open]");
    if (machine && !machine.contains(event.target)) { machine.open = false; }
  });
  document.addEventListener("keydown", function (event) {
    var machine = document.querySelector(".machine[open]");
    if (event.key === "Escape" && machine) { machine.open = false; machine.querySelector("summary").focus(); }
  });

  var current = document.querySelector(".side [aria-current]");
  if (current) { current.parentNode.scrollLeft = current.offsetLeft - 40; }

  window.sandboxPortal = { refresh: refresh, look: look };
  look();
  setInterval(look, EVERY);
})();
