// Fits the frame of a page inside the portal to its content. Pages work without it.
(function () {
  "use strict";
  if (!window.BX24) { return; }
  window.BX24.init(function () {
    window.BX24.fitWindow();
    if (window.ResizeObserver) {
      new ResizeObserver(function () { window.BX24.fitWindow(); }).observe(document.body);
    }
  });
})();
