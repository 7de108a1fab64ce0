// The keyboard. Keys pressed while a judgement is on its way belong to no screen and are dropped: nobody can judge what
// she has not seen.

function heard(state, event) {
  const root = state.parts?.frame?.parentNode;
  if (!root || event.isComposing) return;
  const target = event.composedPath()[0];
  const inside = root.contains(target);
  const field = target.matches?.("textarea, input, select, [contenteditable]");
  if (field && !inside) return;
  const done = field ? heardInField(state, root, event, target) : heardOnScreen(state, root, event, target);
  if (!done) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

function heardInField(state, root, event, area) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    if (!event.repeat) submit(state, root);
    return true;
  }
  if (event.key !== "Escape") {
    event.stopImmediatePropagation(); // the browser still types it; Streamlit's shortcuts do not hear it
    return false;
  }
  const name = area.closest("[data-field]").dataset.field;
  if (!state.answer[name].trim() || state.answer[name] === correctable(state.screen)) state.open.delete(name);
  if (!state.open.has(name) && name === "corrected") state.answer.corrected = "";
  state.focus = "row";
  draw(state, root);
  return true;
}

function heardOnScreen(state, root, event, target) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (state.help) {
    if (key === "Tab") return true;
    if (["Enter", "Escape", "?", " "].includes(key)) closeHelp(state, root);
    return true;
  }
  if (!state.screen.assignment_id) {
    if (key === "u" && !event.repeat) goBack(state);
    return key === "u";
  }
  if (key === "Tab" || key === "Shift") return false;
  if (key === " ") return false;
  if (state.submitted) return true;
  if (key === "Enter") return heardEnter(state, root, event, target);
  if (heardMove(state, root, key)) return true;
  if (event.repeat) return false;
  return heardChoice(state, root, key) || heardCommand(state, root, key);
}

function heardEnter(state, root, event, target) {
  // On another button, Enter presses that button.
  if (target.matches?.("button, a") && !target.matches("[role=radio], .primary, .row-title")) return false;
  if (!event.repeat) submit(state, root);
  return true;
}

function heardMove(state, root, key) {
  switch (key) {
    case "ArrowDown":
    case "ArrowUp":
      state.active = Math.min(Math.max(state.active + (key === "ArrowDown" ? 1 : -1), 0), state.rows.length);
      state.focus = "row";
      draw(state, root);
      return true;
    case "ArrowLeft":
    case "ArrowRight":
      shift(state, root, key === "ArrowRight" ? 1 : -1);
      return true;
    default:
      return false;
  }
}

// A key of the row in front; of a pair's choice from anywhere where the row in front does not know the key.
function heardChoice(state, root, key) {
  const candidates = [state.rows[state.active]];
  if (state.screen.kind === "pairwise" && /^[a-z]$/.test(key)) candidates.push(state.rows[0]);
  for (const row of candidates) {
    const option = row?.options.find((one) => one.keys.includes(key));
    if (option) {
      choose(state, root, row, option.value);
      return true;
    }
  }
  return false;
}

function heardCommand(state, root, key) {
  switch (key) {
    case "x":
      toggleCritical(state, root);
      return true;
    case "u":
      undo(state, root);
      return true;
    case "m":
    case "e":
      openField(state, key === "m" ? "comment" : "corrected");
      draw(state, root);
      return true;
    case "?":
      openHelp(state, root);
      return true;
    case "Escape":
      if (state.show) goForward(state);
      return true;
    default:
      // Streamlit's own shortcuts (c, r) have no place here.
      return /^[a-z0-9]$/.test(key);
  }
}
