// The parent window of an application's page: opens it by a posted form and answers what its library asks.
(function () {
  "use strict";
  document.querySelectorAll("[data-frame]").forEach(function (place) {
    var known = JSON.parse(place.getAttribute("data-frame"));
    var frame = place.querySelector("iframe");
    place.querySelector("form").submit();

    function token() {
      return fetch("/_sandbox/frame/" + encodeURIComponent(known.client_id) + "/token", { method: "POST" })
        .then(function (answer) { return answer.json(); })
        .then(function (pair) { Object.assign(known.auth, pair); return known.auth; });
    }

    function finish() {
      return fetch("/_sandbox/apps/" + encodeURIComponent(known.client_id) + "/finish", { method: "POST" })
        .then(function (answer) {
          // The portal reloads the frame with the main page; an app that was installed already stays where it is.
          if (answer.ok && known.finishes) { location.reload(); }
          return answer.ok;
        });
    }

    function go(path) {
      var there = new URL(String(path || ""), location.origin);
      if (there.origin !== location.origin) { return { result: "error", errorCode: "PATH_NOT_AVAILABLE" }; }
      location.assign(there.href);
      return { result: "close" };
    }

    var answers = {
      init: function () {
        return { auth: known.auth, placement: known.placement, options: known.options, lang: known.lang,
          admin: known.admin, installed: !known.finishes };
      },
      refreshAuth: token,
      installFinish: finish,
      resize: function (asked) {
        if (asked.height > 0) { frame.style.height = Math.min(Math.max(asked.height, 120), 20000) + "px"; }
        return { width: frame.clientWidth, height: frame.clientHeight };
      },
      setTitle: function (asked) {
        var title = document.getElementById("app-title");
        if (title) { title.textContent = String(asked.title); }
        return true;
      },
      openPath: function (asked) { return go(asked.path); },
      openApplication: function (asked) {
        return go("/marketplace/view/" + encodeURIComponent(known.client_id) + "/?" +
          new URLSearchParams(Object.entries(asked.parameters || {}).map(function (pair) { return ["params[" + pair[0] + "]", pair[1]]; })));
      },
      closeApplication: function () { history.length > 1 ? history.back() : go("/"); return true; },
      reloadWindow: function () { location.reload(); return true; },
      reloadData: function () { window.sandboxPortal.refresh(); return true; },
      scroll: function (asked) { window.scrollTo({ top: asked.top }); return true; }
    };

    window.addEventListener("message", function (event) {
      var asked = event.data;
      if (event.source !== frame.contentWindow || event.origin !== known.origin) { return; }
      if (!asked || asked.session !== known.session || !Object.hasOwn(answers, asked.command)) { return; }
      Promise.resolve(answers[asked.command](asked.params || {})).then(function (result) {
        frame.contentWindow.postMessage({ session: known.session, number: asked.number, result: result }, known.origin);
      });
    });
  });
})();
