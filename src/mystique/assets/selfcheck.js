/* Self-checks: says the feedback that the style sheet shows, judges numbers, and counts what is found of several right options. */
(function () {
  "use strict";

  function span(name, text) {
    const made = document.createElement("span");
    made.className = name;
    made.textContent = text;
    return made;
  }

  /* The feedback is seen beside its option, so here it is only heard; the tally is seen and heard.
     Both change in one step, so that a screen reader speaks once. */
  function say(check, feedback, tally = "") {
    const words = feedback ? feedback.textContent.trim() + " " : "";
    check.querySelector('[role="status"]').replaceChildren(span("visually-hidden", words), span("tally", tally));
  }

  /* How much of "choose all that apply" is found; empty while nothing is ticked. */
  function tally(check) {
    const ticked = Array.from(check.querySelectorAll(".option:has(input:checked)"));
    if (!ticked.length) return "";
    const found = ticked.filter((option) => option.querySelector(".feedback.right")).length;
    const right = check.querySelectorAll(".feedback.right").length;
    const wrong = ticked.length - found;
    const tooMany = wrong ? `; ${wrong === 1 ? "one tick" : `${wrong} ticks`} too many` : "";
    return `${found === right ? "All" : `${found} of ${right}`} found${tooMany}.`;
  }

  /* The first answer whose value or range holds the number; the last one is the default. */
  function judge(check) {
    const input = check.querySelector('input[type="number"]');
    const all = Array.from(check.querySelectorAll(".feedback"));
    const number = input.valueAsNumber;
    const chosen = Number.isNaN(number)
      ? null
      : all.find((one) => !one.dataset.low || (Number(one.dataset.low) <= number && number <= Number(one.dataset.high)));
    all.forEach((one) => one.classList.toggle("shown", one === chosen));
    say(check, chosen);
  }

  document.addEventListener("change", (event) => {
    const check = event.target.closest(".selfcheck");
    if (!check || check.dataset.type === "numeric") return;
    const feedback = event.target.checked ? event.target.closest(".option").querySelector(".feedback") : null;
    say(check, feedback, check.dataset.type === "many_choice" ? tally(check) : "");
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest('.selfcheck[data-type="numeric"] button');
    if (button) judge(button.closest(".selfcheck"));
  });

  document.addEventListener("keydown", (event) => {
    const input = event.target.closest('.selfcheck[data-type="numeric"] input');
    if (input && event.key === "Enter") judge(input.closest(".selfcheck"));
  });
})();
