// Drawing: the frame once a screen, then only what changed, so that the caret, the focus and the scrolling stay.

function draw(state, root) {
  if (state.drawn !== state.key || !root.contains(state.parts?.frame)) build(state, root);
  const parts = state.parts;
  if (!state.screen.assignment_id) return;
  drawRows(state, root);
  drawMaterial(state);
  drawFields(state);
  for (const area of parts.fields.querySelectorAll("textarea")) area.readOnly = Boolean(state.submitted);
  if (parts.critical) parts.critical.setAttribute("aria-checked", String(state.answer.critical_error));
  const said = statusOf(state);
  if (parts.status.textContent !== said.text) parts.status.textContent = said.text;
  parts.status.className = `status ${said.tone}`;
  if (parts.problem.textContent !== state.problem) parts.problem.textContent = state.problem;
  parts.frame.classList.toggle("busy", Boolean(state.submitted));
  parts.frame.setAttribute("aria-busy", String(Boolean(state.submitted)));
  parts.submit.classList.toggle("ready", !missingFrom(state.screen, state.rows, state.answer));
  drawHelp(state, root);
  focusOn(state);
}

function build(state, root) {
  state.drawn = state.key;
  state.signature = null;
  const screen = state.screen;
  const parts = (state.parts = {});
  root.lang = "en";
  if (!screen.assignment_id) {
    parts.frame = finishedOf(state);
    root.replaceChildren(parts.frame);
    return;
  }
  const revising = state.show && state.show === screen.assignment_id;
  parts.material = material(screen, null);
  parts.rows = el("div", { class: "rows" });
  parts.fields = el("div", { class: "fields" });
  parts.closed = el("span", { class: "closed" });
  parts.status = el("span", { class: "status", role: "status", "aria-live": "polite" });
  parts.problem = el("p", { class: "problem", role: "alert" });
  parts.critical = screen.critical_question && screen.kind === "rubric" ? criticalOf(state, root) : null;
  parts.submit = el(
    "button",
    { type: "button", class: "primary", on: { click: () => submit(state, root) } },
    el("span", { text: revising ? "Save the change" : "Submit and go on" }),
    el("kbd", { "aria-hidden": "true", text: "Enter" }),
  );
  parts.frame = el(
    "div",
    { class: `frame kind-${screen.kind}` },
    el(
      "header",
      {},
      progressOf(screen),
      parts.status,
      state.rater ? el("span", { class: "rater", dir: "auto", title: `You rate as ${state.rater}`, text: state.rater }) : null,
      el("button", { type: "button", class: "quiet", "aria-label": "Help", on: { click: () => openHelp(state, root) } }, el("kbd", { text: "?" }), el("span", { text: "Help" })),
    ),
    noticeOf(state, revising),
    el(
      "main",
      {},
      parts.material,
      el(
        "form",
        { class: "judge", "aria-label": "Your judgement", on: { submit: (event) => event.preventDefault() } },
        el("div", { class: "judge-scroll" }, parts.rows, parts.critical, parts.fields),
        el("div", { class: "judge-end" }, parts.problem, actionsOf(state, parts, revising)),
      ),
    ),
  );
  root.replaceChildren(parts.frame);
  if (root.getBoundingClientRect().top < 0) root.scrollIntoView({ block: "start" });
}

function actionsOf(state, parts, revising) {
  const back = state.screen.before
    ? el("button", { type: "button", class: "quiet", on: { click: () => goBack(state) } }, el("span", { text: "‹ Back" }))
    : null;
  const forward = revising
    ? el("button", { type: "button", class: "quiet", on: { click: () => goForward(state) } }, el("span", { text: "Leave as it was" }))
    : null;
  return el("div", { class: "actions" }, back, forward, parts.closed, el("span", { class: "gap" }), parts.submit);
}

function noticeOf(state, revising) {
  if (revising) return el("p", { class: "notice", text: "You have judged this one already. Change it, or leave it as it was." });
  if (state.screen.stage === "revise") {
    return el("p", {
      class: "notice",
      text: "The experts' reference is shown now. Your first judgement is kept. Change it if the reference convinces you, then submit.",
    });
  }
  return null;
}

function finishedOf(state) {
  const screen = state.screen;
  const back = screen.before
    ? el("button", { type: "button", class: "quiet", on: { click: () => goBack(state) } }, el("span", { text: "‹ Look at my last answer again" }), el("kbd", { text: "U" }))
    : null;
  const again = screen.total > screen.done
    ? el("button", { type: "button", class: "primary", on: { click: () => goForward(state) } }, el("span", { text: "Look again" }))
    : null;
  return el(
    "div",
    { class: "frame finished" },
    el(
      "section",
      { class: "thanks", role: "status" },
      el("h1", { text: screen.done ? "Thank you" : "Nothing to rate" }),
      el("p", { text: screen.message ?? "There is nothing left for you to rate." }),
      screen.done
        ? el("p", { class: "note", text: `${screen.done} judgement${screen.done === 1 ? "" : "s"} of yours ${screen.done === 1 ? "is" : "are"} stored. You may close this page.` })
        : null,
      el("div", { class: "actions" }, back, again),
    ),
  );
}

function criticalOf(state, root) {
  return el(
    "button",
    { type: "button", class: "critical", role: "switch", "aria-checked": "false", on: { click: () => toggleCritical(state, root) } },
    el("span", { class: "tick", "aria-hidden": "true" }),
    el("span", { class: "said" }, el("b", { text: "Critical error" }), el("span", { text: state.screen.critical_question })),
    el("kbd", { "aria-hidden": "true", text: "X" }),
  );
}

function drawRows(state, root) {
  const signature = JSON.stringify([state.answer.levels, state.answer.cannot_judge, state.answer.choice, state.answer.strength,
    state.answer.criteria, state.answer.decision, state.answer.guess === undefined ? "" : [state.answer.guess], state.active, state.missing]);
  if (signature === state.signature) return;
  const first = state.signature === null;
  state.signature = signature;
  state.parts.rows.replaceChildren(
    ...state.rows.map((row, place) =>
      rowOf(row, row.get(state.answer), {
        active: place === state.active,
        missing: row.id === state.missing,
        choose: (chosen, value) => choose(state, root, chosen, value),
        activate: (chosen) => {
          state.active = state.rows.indexOf(chosen);
          state.focus = "row";
          draw(state, root);
        },
      }),
    ),
  );
  const active = state.parts.rows.children[state.active];
  if (active && !first) active.scrollIntoView({ block: "nearest" });
}

function drawMaterial(state) {
  const { choice, guess } = state.answer;
  const chosen = choice === "left" ? 0 : choice === "right" ? 1 : (guess ?? null);
  [...state.parts.material.querySelectorAll(".answer")].forEach((box, place) => box.classList.toggle("chosen", place === chosen));
}

const FIELDS = {
  comment: { label: "Comment", key: "M", rows: 2, hint: "Anything that the levels do not say" },
  corrected: { label: "A better answer", key: "E", rows: 4, hint: "The answer as it should have been" },
};

function drawFields(state) {
  const { fields, closed } = state.parts;
  for (const [name, field] of Object.entries(FIELDS)) {
    if (!(name in state.answer)) continue;
    const open = state.open.has(name);
    const [there, other] = open ? [fields, closed] : [closed, fields];
    if (there.querySelector(`[data-field=${name}]`)) continue;
    other.querySelector(`[data-field=${name}]`)?.remove();
    there.append(open ? fieldOf(state, name, field) : closedFieldOf(state, name, field));
  }
}

function closedFieldOf(state, name, field) {
  return el(
    "button",
    {
      type: "button", class: "quiet", "data-field": name,
      on: {
        click: () => {
          openField(state, name);
          draw(state, state.root);
        },
      },
    },
    el("span", { text: `+ ${field.label}` }),
    el("kbd", { "aria-hidden": "true", text: field.key }),
  );
}

function fieldOf(state, name, field) {
  const area = el("textarea", {
    rows: field.rows, dir: "auto", placeholder: field.hint, "aria-label": field.label,
    on: {
      input: (event) => {
        changed(state, { ...state.answer, [name]: event.target.value });
        state.parts.problem.textContent = "";
        state.parts.submit.classList.toggle("ready", !missingFrom(state.screen, state.rows, state.answer));
      },
    },
  });
  area.value = state.answer[name];
  return el(
    "label",
    { class: "field", "data-field": name },
    el("span", {}, el("b", { text: field.label }), el("span", { class: "optional", text: "Ctrl + Enter submits · Esc leaves" })),
    area,
  );
}

function statusOf(state) {
  if (state.trouble) return { tone: "warn", text: `${state.trouble} What you entered is kept in this browser and is sent again.` };
  if (state.submitted && state.offline) {
    return { tone: "warn", text: "No connection. Your answer is kept in this browser and is sent as soon as possible." };
  }
  return { tone: "", text: "" };
}

function openHelp(state, root) {
  state.help = true;
  draw(state, root);
}

function drawHelp(state, root) {
  const shown = root.querySelector(".curtain");
  if (shown && !state.help) shown.remove();
  if (!shown && state.help) {
    const help = helpOf(state, () => closeHelp(state, root));
    state.parts.frame.append(help);
    help.querySelector(".primary").focus({ preventScroll: true });
  }
}

function focusOn(state) {
  const wanted = state.focus;
  state.focus = null;
  if (!wanted || state.help) return;
  if (wanted !== "row") {
    const area = state.parts.fields.querySelector(`[data-field=${wanted}] textarea`);
    area?.focus();
    area?.scrollIntoView({ block: "nearest" }); // from under the bar at a phone's lower edge
    area?.setSelectionRange(area.value.length, area.value.length);
    return;
  }
  const group = state.parts.rows.children[state.active]?.querySelector(".options");
  (group ?? state.parts.submit).focus({ preventScroll: true });
}
