// Elements of the page. Text enters through `textContent` alone: whatever a model wrote stays text.

function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "on") for (const [type, heard] of Object.entries(value)) element.addEventListener(type, heard);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const ROLE_NAMES = { user: "Question", assistant: "Earlier answer", system: "Instruction" };

// A text of others in a box of its own that scrolls; reachable by Tab so that a keyboard can scroll it.
function textBox(title, text, { badge = null, note = null, tone = "" } = {}) {
  return el(
    "section",
    { class: `box ${tone}`, "aria-label": title },
    el("h2", {}, badge ? el("span", { class: "badge", text: badge }) : null, el("span", { text: title })),
    note ? el("p", { class: "note", text: note }) : null,
    el("div", { class: "text", dir: "auto", tabindex: "0", role: "region", "aria-label": `${title}, text`, text }),
  );
}

function material(screen, chosen) {
  const several = screen.answers.length > 1;
  const turns = screen.turns.map(([role, text]) =>
    textBox(screen.kind === "validate" && role === "user" ? "Record" : ROLE_NAMES[role] ?? role, text, { tone: "asked" }),
  );
  const answers = screen.answers.map((answer, place) =>
    textBox(several ? `Answer ${answer.label}` : "Answer", answer.text || "(The answer is empty.)", {
      badge: several ? answer.label : null,
      note: answer.masked ? "A name that could tell who answered is hidden here." : null,
      tone: chosen === place ? "answer chosen" : "answer",
    }),
  );
  const reference =
    screen.reference === null || screen.reference === undefined
      ? null
      : textBox("Reference of the experts", screen.reference, { tone: "reference" });
  return el(
    "div",
    { class: `material ${several ? "several" : "single"}` },
    el("div", { class: "asked-all" }, ...turns),
    el("div", { class: "answers" }, ...answers),
    reference,
  );
}

// One row of options. The active one shows the question and what each option means; the others only their short names.
function rowOf(row, value, { active, missing, choose, activate }) {
  const name = `row-${row.id.replaceAll(/[^a-z0-9]+/gi, "-")}`;
  const checked = row.options.findIndex((option) => option.value === value);
  const options = row.options.map((option, place) =>
    el(
      "button",
      {
        type: "button",
        class: option.value === CANNOT ? "option cannot" : "option",
        role: "radio",
        "aria-checked": String(place === checked),
        "aria-label": /^\d+$/.test(option.short) ? `${option.short}: ${option.words}` : option.words,
        tabindex: place === Math.max(checked, 0) ? "0" : "-1",
        title: active ? null : option.words,
        on: { click: () => choose(row, option.value) },
      },
      el("span", { class: "short", "aria-hidden": "true", text: option.short }),
      active ? el("span", { class: "words", text: option.words }) : null,
      active && option.key !== option.short.toLowerCase()
        ? el("kbd", { "aria-hidden": "true", text: option.key.toUpperCase() })
        : null,
    ),
  );
  return el(
    "div",
    { class: `row ${active ? "active" : "folded"} ${missing ? "missing" : ""} ${checked >= 0 ? "given" : ""}`, "data-row": row.id },
    el(
      "button",
      {
        type: "button",
        class: "row-title",
        id: name,
        tabindex: "-1",
        "aria-expanded": String(active),
        on: { click: () => activate(row) },
      },
      el("span", { text: row.title }),
      row.required ? null : el("span", { class: "optional", text: "optional" }),
    ),
    active && row.question ? el("p", { class: "question", id: `${name}-question`, text: row.question }) : null,
    el(
      "div",
      {
        class: "options",
        role: "radiogroup",
        tabindex: "-1",
        "aria-labelledby": name,
        "aria-describedby": active && row.question ? `${name}-question` : null,
        "aria-required": String(row.required),
      },
      ...options,
    ),
  );
}

function helpOf({ screen, rater, taken }, close) {
  const kind = screen.kind;
  const levels = screen.criteria.filter((one) => one.kind === "levels").map((one) => one.levels.length);
  const first = {
    rubric: [
      ...(levels.length ? [[["1", "–", String(Math.max(...levels))], "level of the criterion in front; goes on to the next"]] : []),
      ...(levels.length < screen.criteria.length ? [[["P", "F"], "pass, fail"]] : []),
      [["0", "N"], "cannot judge"],
      ...(screen.critical_question ? [[["X"], "critical error"]] : []),
    ],
    pairwise: [
      [["A", "B"], "the left or the right answer is better"],
      [["T"], "equally good"],
      [["N"], "both are bad"],
      [["1", "–", "3"], "by how much"],
    ],
    validate: [[["1", "2", "3"], "accept, correct, reject"]],
    closing: [
      [["1", "–", String(screen.answers.length)], "your guess"],
      [["0"], "cannot tell"],
    ],
  };
  const rest = [
    [["↑", "↓"], "another row"],
    [["←", "→"], "another level"],
    [["M"], "comment"],
    ...(kind === "rubric" || kind === "validate" ? [[["E"], "write a better answer"]] : []),
    [["U"], "undo; then back to the screen before"],
    [["Enter"], "submit and go on (in a text field: Ctrl + Enter)"],
    [["Esc"], "leave a text field, or this help"],
    [["?"], "this help"],
  ];
  const keys = [...(first[kind] ?? []), ...rest].map(([names, said]) =>
    el(
      "div",
      { class: "key" },
      el("span", {}, ...names.map((name) => (name === "–" ? el("span", { text: "–" }) : el("kbd", { text: name })))),
      el("span", { text: said }),
    ),
  );
  return el(
    "div",
    { class: "curtain", on: { click: (event) => event.target === event.currentTarget && close() } },
    el(
      "div",
      { class: "help", role: "dialog", "aria-modal": "true", "aria-labelledby": "help-title" },
      el("h2", { id: "help-title", text: "How to rate" }),
      taken
        ? el("p", {
            class: "taken",
            text:
              `Another personal link was opened in this browser: from here on, you rate as ${rater}. If that is not you, ` +
              "open your own link again; what you entered is kept.",
          })
        : null,
      screen.instructions ? el("p", { class: "instructions", text: screen.instructions }) : null,
      el("p", {
        text:
          "You judge what an answer says; who wrote it is not shown. Whatever you enter is kept at once: you may close " +
          "this page at any time and go on later, on any device, with the same link.",
      }),
      el("p", { class: "touch", text: "Tap a level to choose it; tap a criterion's name to see what its levels mean." }),
      el("div", { class: "keys" }, ...keys),
      el("button", { type: "button", class: "primary", on: { click: close } }, el("span", { text: "Go on" }), el("kbd", { text: "Enter" })),
    ),
  );
}

function minutesText(minutes) {
  if (minutes === null || minutes === undefined) return "";
  if (minutes < 1) return "less than a minute left";
  const whole = Math.round(minutes);
  return `about ${whole} minute${whole === 1 ? "" : "s"} left`;
}

function progressOf(screen) {
  const total = screen.total;
  const share = total ? Math.min(screen.done / total, 1) : 0;
  const said = [total ? `${screen.done} of ${total}` : `${screen.done} done`, minutesText(screen.minutes_left)];
  return el(
    "div",
    { class: "progress" },
    el(
      "div",
      {
        class: "bar",
        role: "progressbar",
        "aria-label": "Progress",
        "aria-valuemin": "0",
        "aria-valuemax": String(total ?? screen.done),
        "aria-valuenow": String(screen.done),
      },
      el("i", { style: `width:${(100 * share).toFixed(1)}%` }),
    ),
    el("span", { text: said.filter(Boolean).join(" · ") }),
  );
}
