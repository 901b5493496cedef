/* Self-checks: says the feedback that the style sheet shows, and judges numbers. */
(function () {
  "use strict";

  function say(check, feedback) {
    check.querySelector('[role="status"]').textContent = feedback ? feedback.textContent.trim() : "";
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
    say(check, event.target.checked ? event.target.closest(".option").querySelector(".feedback") : null);
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
