/* Explorers in the built book: native controls over answers worked out when the book was built, or over a twin.
 *
 * Each <figure class="explorer"> holds its own data (see explore/answers.py for the form). A state is one position
 * for each control. This script knows nothing of what a chart means: it looks an answer up, or asks the twin, and
 * shows picture, sentence and table together.
 */
(function () {
  "use strict";

  const twins = {};
  const explorers = {};
  window.mystique = { twins: twins, explorers: explorers, fixed: fixed, weightedMeans: weightedMeans };

  /* A number with a fixed count of decimals; the Python function `charts.fixed` gives the same text. */
  function fixed(value, decimals) {
    const text = value.toFixed(decimals);
    return Number(text) === 0 ? text.replace("-", "") : text;
  }

  /* For twins: the weighted mean of each row of numbers, or null for each when all weights are zero. */
  function weightedMeans(weights, rows) {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return rows.map((row) => (total === 0 ? null : row.reduce((sum, value, i) => sum + weights[i] * value, 0) / total));
  }

  function cellText(value, decimals) {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    if (typeof value === "boolean") return value ? "yes" : "no";
    return typeof value === "number" ? fixed(value, decimals) : String(value);
  }

  /* Answers ------------------------------------------------------------------------------------------------- */

  /* The position of a state among all combinations, the last control changing fastest. */
  function combination(controls, state) {
    return controls.reduce((at, control, i) => at * control.values.length + state[i], 0);
  }

  function taken(pool, at) {
    return pool.of[pool.at ? pool.at[at] : 0];
  }

  function rowsOf(fields, at) {
    const names = Object.keys(fields);
    const columns = names.map((name) => taken(fields[name], at));
    const count = columns.length ? columns[0].length : 0;
    return Array.from({ length: count }, (_, row) => Object.fromEntries(names.map((name, i) => [name, columns[i][row]])));
  }

  function answer(packed, state) {
    if (packed.twin) {
      const values = Object.fromEntries(packed.controls.map((control, i) => [control.name, control.values[state[i]]]));
      return twins[packed.twin](values, packed.given);
    }
    const at = combination(packed.controls, state);
    const data = Object.fromEntries(Object.entries(packed.data).map(([name, fields]) => [name, rowsOf(fields, at)]));
    return { data: data, sentence: taken(packed.sentences, at) };
  }

  /* Controls <-> state -------------------------------------------------------------------------------------- */

  function read(form, controls) {
    return controls.map((control) => {
      const input = form.elements[control.name];
      return control.kind === "checkbox" ? Number(input.checked) : Number(input.value);
    });
  }

  function write(form, controls, state) {
    controls.forEach((control, i) => {
      const input = form.elements[control.name];
      if (control.kind === "checkbox") input.checked = Boolean(state[i]);
      else input.value = String(state[i]);
    });
    label(form, controls, state);
  }

  function label(form, controls, state) {
    controls.forEach((control, i) => {
      if (control.kind !== "slider") return;
      const input = form.elements[control.name];
      input.setAttribute("aria-valuetext", control.labels[state[i]]);
      input.parentNode.querySelector("output").textContent = control.labels[state[i]];
    });
  }

  /* The page's address: ?explorer.control=label for each control that was moved ---------------------------------- */

  function fromAddress(packed) {
    const given = new URLSearchParams(window.location.search);
    return packed.controls.map((control) => {
      const at = control.labels.indexOf(given.get(packed.name + "." + control.name));
      return at < 0 ? control.start : at;
    });
  }

  function address(packed, state) {
    const given = new URLSearchParams(window.location.search);
    packed.controls.forEach((control, i) => {
      const key = packed.name + "." + control.name;
      if (state[i] === control.start) given.delete(key);
      else given.set(key, control.labels[state[i]]);
    });
    const query = given.toString();
    return window.location.pathname + (query ? "?" + query : "");
  }

  function remember(packed, state) {
    try {
      window.history.replaceState(null, "", address(packed, state) + window.location.hash);
    } catch (refused) {
      /* A page opened as a file may not change its address in some browsers; the link button still works. */
    }
  }

  /* Showing ------------------------------------------------------------------------------------------------- */

  function makeView(packed, picture) {
    const view = new vega.View(vega.parse(packed.vega), { renderer: "svg", hover: true, logLevel: vega.Error });
    view.tooltip(tooltip(picture));
    return view;
  }

  /* Plain text, placed beside the pointer. */
  function tooltip(picture) {
    const box = document.createElement("div");
    box.className = "explorer-tip";
    box.hidden = true;
    picture.append(box);
    return function (handler, event, item, value) {
      box.hidden = value === null || value === undefined || value === "";
      if (box.hidden) return;
      const pairs = typeof value === "object" ? Object.entries(value).map((pair) => pair.join(": ")) : [String(value)];
      box.textContent = pairs.join("\n");
      const frame = picture.getBoundingClientRect();
      box.style.left = Math.max(0, Math.min(event.clientX - frame.left + 12, frame.width - box.offsetWidth)) + "px";
      box.style.top = event.clientY - frame.top + 16 + "px";
    };
  }

  function fit(view, picture) {
    const auto = view._runtime && view.signal("autosize");
    return auto && auto.type === "fit-x" ? view.width(Math.max(240, picture.clientWidth)) : view;
  }

  function fillTable(table, packed, data) {
    const columns = packed.table.map((column) => {
      const decimals = (packed.decimals[column.source] || {})[column.field] || 0;
      return data[column.source].map((row) => cellText(row[column.field], decimals));
    });
    const rows = (columns[0] || []).map((_, r) => {
      const row = document.createElement("tr");
      row.append(...columns.map((column) => Object.assign(document.createElement("td"), { textContent: column[r] })));
      return row;
    });
    table.replaceChildren(...rows);
  }

  function start(figure) {
    const packed = JSON.parse(figure.querySelector(".explorer-data").textContent);
    const picture = figure.querySelector(".explorer-picture");
    const sentence = figure.querySelector(".explorer-sentence");
    const status = figure.querySelector(".explorer-status");
    const table = figure.querySelector("tbody");
    const form = figure.querySelector("form");
    let state = fromAddress(packed);
    let view = null;
    let drawing = null;
    let done = null;
    let shown = null;

    /* Say and tabulate the state's answer. */
    function tell() {
      shown = answer(packed, state);
      sentence.textContent = shown.sentence;
      picture.setAttribute("aria-label", shown.sentence);
      if (table) fillTable(table, packed, shown.data);
    }

    function redraw() {
      for (const name of Object.keys(shown.data)) view.data(name, shown.data[name]);
      return view.runAsync();
    }

    /* Draw the picture live, once; it takes the built picture's place when it is ready. */
    function draw() {
      if (drawing) return drawing;
      const live = makeView(packed, picture);
      const frame = document.createElement("div");
      frame.hidden = true;
      for (const name of Object.keys(shown.data)) live.data(name, shown.data[name]);
      live.initialize(frame);
      frame.querySelector(".vega-bindings").remove();
      fit(live, picture);
      drawing = live.runAsync().then(() => {
        picture.querySelector("svg").replaceWith(frame);
        frame.hidden = false;
        view = live;
        figure.dataset.live = "yes";
        new ResizeObserver(() => fit(view, picture).runAsync()).observe(picture);
      });
      return drawing;
    }

    function move() {
      state = read(form, packed.controls);
      label(form, packed.controls, state);
      tell();
      done = view ? redraw() : draw().then(redraw);
      return done;
    }

    function settle() {
      status.textContent = shown.sentence;
      remember(packed, state);
    }

    if (form) {
      form.hidden = false;
      write(form, packed.controls, state);
      form.addEventListener("submit", (event) => event.preventDefault());
      form.addEventListener("input", move);
      form.addEventListener("change", settle);
      form.addEventListener("reset", (event) => {
        event.preventDefault();
        write(form, packed.controls, packed.controls.map((control) => control.start));
        move();
        settle();
      });
      form.querySelector(".explorer-share").addEventListener("click", (event) => {
        const link = new URL(address(packed, state) + "#" + figure.id, window.location.href).href;
        const done = () => (status.textContent = event.target.textContent = "Link copied");
        const shownLink = () => window.prompt("The link to this view:", link);
        if (navigator.clipboard) navigator.clipboard.writeText(link).then(done, shownLink);
        else shownLink();
      });
    }
    tell();
    explorers[packed.name] = {
      packed: packed,
      answer: (positions) => answer(packed, positions),
      move: move,
      draw: draw,
      done: () => done,
      again: redraw,
      drawn: (name) => view.data(name),
    };
    return draw;
  }

  /* Pictures are drawn live when a reader comes near them; sentence, table and controls work from the start. */
  function startAll() {
    const near = new IntersectionObserver(
      (seen) =>
        seen.filter((entry) => entry.isIntersecting).forEach((entry) => {
          near.unobserve(entry.target);
          entry.target.mystiqueDraw();
        }),
      { rootMargin: "400px" }
    );
    document.querySelectorAll("figure.explorer").forEach((figure) => {
      figure.mystiqueDraw = start(figure);
      near.observe(figure);
    });
    window.addEventListener("beforeprint", () =>
      document.querySelectorAll("details.explorer-table").forEach((details) => (details.open = true))
    );
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
  else startAll();
})();
