// Runs the set-up without leaving the page, shows how far it is, and tells the portal when it is done.
// Without this script the form does the same with a page in between.
(function () {
  "use strict";
  var here = document.currentScript, words = here.dataset;
  var form = document.getElementById("run"), outcome = document.getElementById("outcome");
  var progress = document.getElementById("progress"), step = document.getElementById("step");
  var token = form.elements.page_token.value, timer = null;

  function headers() { return { "X-Page-Token": token, "Accept": "application/json" }; }

  function note(text, kind) {
    var box = document.createElement("div");
    box.className = "note " + kind;
    box.setAttribute("role", "alert");
    box.textContent = text;
    outcome.replaceChildren(box);
  }

  function look() {
    fetch(words.progress, { headers: headers() })
      .then(function (answer) { return answer.ok ? answer.json() : null; })
      .then(function (told) { if (told && told.text) { step.textContent = told.text; } })
      .catch(function () { /* the run itself reports a broken connection */ });
  }

  function busy(on) {
    form.hidden = on;
    progress.hidden = !on;
    window.clearInterval(timer);
    if (on) { outcome.replaceChildren(); timer = window.setInterval(look, 1000); }
  }

  function finish() {
    var report = document.getElementById("report");
    if (!report || report.dataset.ok !== "yes") { return; }
    form.hidden = true;
    function tell() {
      if (!window.BX24) { note(words.noFinish, "warn"); return; }
      window.BX24.init(function () { window.BX24.installFinish(); });
    }
    document.getElementById("finish").addEventListener("click", tell);
    tell();
  }

  function run(event) {
    if (event) { event.preventDefault(); }
    var body = new URLSearchParams(new FormData(form));
    busy(true);
    fetch(form.action, { method: "POST", headers: headers(), body: body })
      .then(function (answer) { return answer.json(); })
      .then(function (told) {
        busy(false);
        if (told.html) { outcome.innerHTML = told.html; finish(); return; }
        note(told.text || words.network, "warn");
        if (told.retry_after) { window.setTimeout(run, told.retry_after * 1000); }
      })
      .catch(function () { busy(false); note(words.network, "bad"); });
  }

  form.addEventListener("submit", run);
  finish();
})();
