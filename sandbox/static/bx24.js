// The library application pages load from the portal: the part of BX24 this portal understands.
// It asks the parent window by postMessage and calls REST with the token it was given.
(function () {
  "use strict";
  if (window.BX24) { return; }
  var named = window.name.split("|");
  if (named.length !== 3) { return; }
  var domain = named[0], protocol = named[1] === "1" ? "https:" : "http:", session = named[2];
  var portal = protocol + "//" + domain;
  var waiting = {}, last = 0, known = null, queue = [];

  function ask(command, params, done) {
    last += 1;
    waiting[last] = done;
    window.parent.postMessage({ session: session, number: last, command: command, params: params || {} }, portal);
  }

  window.addEventListener("message", function (event) {
    var answer = event.data;
    if (event.source !== window.parent || event.origin !== portal || !answer || answer.session !== session) { return; }
    var done = waiting[answer.number];
    delete waiting[answer.number];
    if (done) { done(answer.result); }
  });

  function pairs(value, name, form) {
    if (value !== null && typeof value === "object") {
      Object.keys(value).forEach(function (key) { pairs(value[key], name ? name + "[" + key + "]" : key, form); });
    } else if (value !== undefined) {
      form.append(name, value === null ? "" : value === true ? "1" : value === false ? "0" : String(value));
    }
    return form;
  }

  function Answer(body, status, method, params, done) {
    this.answer = body;
    this.status = status;
    this.data = function () { return body.result; };
    this.error = function () {
      return body.error === undefined ? false
        : { status: status, ex: body, toString: function () { return body.error + ": " + (body.error_description || ""); } };
    };
    this.error_description = function () { return body.error_description; };
    this.total = function () { return body.total; };
    this.more = function () { return body.next !== undefined; };
    this.next = function (other) {
      if (body.next === undefined) { return false; }
      BX24.callMethod(method, Object.assign({}, params, { start: body.next }), other || done);
      return true;
    };
  }

  function post(method, params, done, again) {
    var form = pairs(params || {}, "", new URLSearchParams());
    form.set("auth", known.auth.access_token);
    fetch(portal + "/rest/" + method + ".json", { method: "POST", body: form })
      .then(function (answer) { return answer.json().then(function (body) { return [body, answer.status]; }); })
      .catch(function () { return [{ error: "ERROR_NETWORK", error_description: "No answer" }, 0]; })
      .then(function (got) {
        if (got[0].error === "expired_token" && !again) {
          BX24.refreshAuth(function () { post(method, params, done, true); });
        } else if (done) {
          done(new Answer(got[0], got[1], method, params, done));
        }
      });
  }

  var BX24 = {
    init: function (done) {
      if (known) { if (done) { done(); } return; }
      if (done) { queue.push(done); }
    },
    ready: function (done) {
      if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", function () { done(); }); } else { done(); }
    },
    isReady: function () { return document.readyState !== "loading"; },
    isAdmin: function () { return Boolean(known && known.admin); },
    getLang: function () { return known ? known.lang : "ru"; },
    getDomain: function (withProtocol) { return withProtocol ? portal : domain; },
    getAuth: function () {
      return known ? Object.assign({}, known.auth, { expires_in: Date.now() + known.auth.expires_in * 1000 }) : false;
    },
    refreshAuth: function (done) {
      ask("refreshAuth", {}, function (auth) { known.auth = auth; if (done) { done(BX24.getAuth()); } });
    },
    callMethod: function (method, params, done) { BX24.init(function () { post(method, params, done, false); }); },
    callBatch: function (calls, done, halt) {
      var commands = {}, asked = {};
      Object.keys(calls).forEach(function (key) {
        var call = calls[key], method = call.method || call[0], params = call.params || call[1] || {};
        asked[key] = [method, params];
        commands[key] = method + "?" + pairs(params, "", new URLSearchParams()).toString();
      });
      BX24.callMethod("batch", { cmd: commands, halt: halt ? 1 : 0 }, function (answer) {
        var body = answer.data() || {}, found = Array.isArray(calls) ? [] : {};
        Object.keys(asked).forEach(function (key) {
          var failed = (body.result_error || {})[key] || (answer.error() ? answer.answer : null);
          var one = failed || { result: (body.result || {})[key], total: (body.result_total || {})[key], next: (body.result_next || {})[key] };
          found[key] = new Answer(one, answer.status, asked[key][0], asked[key][1], null);
        });
        if (done) { done(found); }
      });
    },
    installFinish: function () { BX24.init(function () { ask("installFinish"); }); },
    install: function (done) { BX24.init(function () { if (!known.installed && done) { done(); } }); },
    getScrollSize: function () {
      return { scrollWidth: document.documentElement.scrollWidth, scrollHeight: document.body ? document.body.offsetHeight : 0 };
    },
    resizeWindow: function (width, height, done) { ask("resize", { width: width, height: height }, done); },
    fitWindow: function (done) {
      var body = document.body, style = window.getComputedStyle(body);
      var height = Math.ceil(body.getBoundingClientRect().height + parseFloat(style.marginTop) + parseFloat(style.marginBottom));
      ask("resize", { width: 0, height: height + 2 }, done);
    },
    reloadWindow: function (done) { ask("reloadWindow", {}, done); },
    setTitle: function (title, done) { ask("setTitle", { title: title }, done); },
    scrollParentWindow: function (top, done) { ask("scroll", { top: top }, done); },
    openPath: function (path, done) { ask("openPath", { path: path }, done); },
    openApplication: function (parameters, done) { ask("openApplication", { parameters: parameters || {} }, done); },
    closeApplication: function (done) { ask("closeApplication", {}, done); },
    placement: {
      info: function () { return { placement: known ? known.placement : "", options: known ? known.options : {} }; },
      getInterface: function (done) { done({ command: ["reloadData"], event: [] }); },
      call: function (command, params, done) {
        if (command === "reloadData") { ask("reloadData", {}, done); } else if (done) { done({ error: "UNKNOWN_COMMAND" }); }
      }
    }
  };
  window.BX24 = BX24;
  ask("init", {}, function (told) {
    known = told;
    queue.splice(0).forEach(function (done) { done(); });
  });
})();
