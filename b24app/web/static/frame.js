// Fits the frame of a page inside the portal to its content, and goes to the first mistake in a form: browsers ignore
// autofocus in foreign frames, and take the focus away once they have scrolled to the section. Pages work without it.
(function () {
  "use strict";
  var wrong = document.querySelector("[aria-invalid=true]");
  if (wrong) { window.addEventListener("load", function () { wrong.focus(); }); }
  if (!window.BX24) { return; }
  window.BX24.init(function () {
    window.BX24.fitWindow();
    if (window.ResizeObserver) {
      new ResizeObserver(function () { window.BX24.fitWindow(); }).observe(document.body);
    }
  });
})();
