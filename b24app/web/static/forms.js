// Shows a question only while the answers it depends on are given. Without it all stand open, each saying when it is meant.
(function () {
  "use strict";
  var form = document.querySelector("[data-form]");
  if (!form) { return; }
  var dependent = Array.prototype.slice.call(form.querySelectorAll("[data-when]"));
  if (!dependent.length) { return; }
  form.classList.add("scripted");

  function given(name) {
    return Array.prototype.filter.call(form.elements, function (input) {
      var mark = input.type === "radio" || input.type === "checkbox";
      return input.name === name && !input.closest("[hidden]") && (!mark || input.checked) && input.value !== "";
    }).map(function (input) { return input.value; });
  }

  function open(part) {
    var when = JSON.parse(part.dataset.when);
    return Object.keys(when).every(function (name) {
      return given(name).some(function (value) { return when[name].indexOf(value) >= 0; });
    });
  }

  function look() {
    dependent.forEach(function (part) { part.hidden = !open(part); });
  }

  form.addEventListener("change", look);
  look();
})();
