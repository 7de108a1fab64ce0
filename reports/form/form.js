// The form: `mount({data, root, send})` draws what `data.screen` asks, and `send` gets {events, show} to store.
//
// `mount` may be called again and again with newer data on the same root, without its earlier cleanup having run: the
// listeners of an earlier call are replaced, never added to. What was typed is in the browser's storage at each stroke,
// and every judgement is sent again every three seconds, and at each start, until the server has confirmed it.

const RESEND_MS = 3000;
const DRAFT_MS = 400;
const OFFLINE_MS = 2500;

function mount({ data, root, send }) {
  const state = stateOf(root, data.screen.storage_key);
  state.send = send;
  state.root = root;
  state.rater = data.rater;
  window.ratingListeners?.abort();
  const listeners = (window.ratingListeners = new AbortController());
  const signal = listeners.signal;
  document.addEventListener("keydown", (event) => heard(state, event), { signal, capture: true });
  document.addEventListener("visibilitychange", () => keepTime(state), { signal });
  window.addEventListener("pagehide", () => keepDraft(state), { signal });
  clearInterval(state.resend);
  state.resend = setInterval(() => sendAll(state), RESEND_MS);

  take(state, data);
  const key = screenKey(data.screen);
  const isNew = state.key !== key;
  if (isNew) enter(state, data.screen, key);
  else if (state.submitted && !state.storage.waiting().length) release(state, data);
  draw(state, root);
  if (isNew) sendAll(state); // else the interval does: what the server could not store must not go round at once
  return () => {
    listeners.abort();
    clearInterval(state.resend);
    clearTimeout(state.draftTimer);
    clearTimeout(state.offlineTimer);
  };
}

// The page's state; a fresh one where somebody else's link was opened in this browser while the page was open: what the
// rater before had not sent yet stays in her place of the browser's storage, and goes out when her link is opened again.
function stateOf(root, key) {
  const before = root.rating;
  if (before?.storage.key === key) return before;
  for (const timer of [before?.resend, before?.draftTimer, before?.offlineTimer]) clearTimeout(timer);
  return (root.rating = { ...newState(), storage: openStorage(key), help: Boolean(before), taken: Boolean(before) });
}

function newState() {
  return {
    key: null, screen: null, answer: null, rows: [], active: 0, history: [], open: new Set(), help: false,
    problem: "", missing: null, submitted: null, show: null, draft: null, seconds: 0, since: null, offline: false, rev: 0,
  };
}

const screenKey = (screen) => `${screen.assignment_id}:${screen.stage}`;

// What the server has confirmed, and what it has to say.
function take(state, data) {
  const waiting = new Map(state.storage.waiting().map((one) => [one.id, one]));
  for (const id of data.confirmed ?? []) {
    const given = waiting.get(id) ?? (state.draft?.id === id ? state.draft : null);
    const kept = given && state.storage.draft(given.aid);
    if (kept && kept.rev <= given.rev && given.type === "judgement") state.storage.removeDraft(given.aid);
    state.storage.confirm(id);
    if (state.draft?.id === id) state.draft = null;
  }
  for (const { id, text } of data.refused ?? []) {
    state.storage.confirm(id);
    if (state.draft?.id === id) state.draft = null;
    else if (waiting.has(id)) state.refusal = text;
  }
  state.trouble = data.trouble ?? "";
}

// A new screen: with what was typed there before, here or elsewhere.
function enter(state, screen, key) {
  const kept = screen.assignment_id ? state.storage.draft(screen.assignment_id) : null;
  const mine = kept && kept.stage === screen.stage && kept.rev > screen.revision;
  state.key = key;
  state.screen = screen;
  state.answer = { ...emptyAnswer(screen.kind), ...(mine ? kept.answer : screen.draft ?? {}) };
  state.seconds = kept?.stage === screen.stage ? kept.seconds : 0;
  state.since = document.visibilityState === "visible" ? performance.now() : null;
  state.rev = Math.max(state.rev, screen.revision);
  state.rows = rowsOf(screen, state.answer);
  state.active = firstOpen(state);
  state.history = [];
  state.open = new Set(["comment", "corrected"].filter((name) => state.answer[name]));
  state.submitted = null;
  state.problem = state.refusal ?? "";
  state.refusal = null;
  state.missing = null;
  state.offline = false;
  clearTimeout(state.offlineTimer);
  state.focus = "row";
  if (!screen.assignment_id) return;
  if (screen.assignment_id !== state.show) state.show = null;
  // Judged before the page was loaded anew, and not confirmed yet.
  const given = state.storage.waiting().find((one) => one.aid === screen.assignment_id && one.stage === screen.stage);
  if (given) {
    state.answer = { ...emptyAnswer(screen.kind), ...given.answer };
    state.rows = rowsOf(screen, state.answer);
    state.active = state.rows.length;
    return waitFor(state, given);
  }
  if (!screen.done && !state.storage.get("welcomed")) state.help = true;
  state.opened = event(state, "open");
  if (mine) state.draft = event(state, "draft", kept.rev);
}

// The same screen came back after a judgement: it was refused, or there is nothing else.
function release(state, data) {
  state.submitted = null;
  state.offline = false;
  state.problem = state.refusal ?? "";
  state.refusal = null;
  state.screen = data.screen;
}

const firstOpen = (state) => {
  const place = state.rows.findIndex((row) => row.get(state.answer) === undefined && row.required);
  return place < 0 ? state.rows.length : place;
};

function secondsNow(state) {
  return state.seconds + (state.since === null ? 0 : (performance.now() - state.since) / 1000);
}

function keepTime(state) {
  state.seconds = secondsNow(state);
  state.since = document.visibilityState === "visible" ? performance.now() : null;
  keepDraft(state);
}

// One event. Revisions grow, also where the clock was set back.
function event(state, type, rev = null) {
  state.rev = rev ?? Math.max(Date.now(), state.rev + 1, (state.storage.get("rev") ?? 0) + 1);
  state.storage.put("rev", state.rev);
  return {
    id: `${state.screen.assignment_id}:${state.rev}:${type[0]}`,
    aid: state.screen.assignment_id,
    type,
    rev: state.rev,
    seconds: Math.round(secondsNow(state) * 10) / 10,
    stage: state.screen.stage,
    answer: type === "open" ? {} : type === "judgement" ? finalAnswer(state.screen, state.answer) : state.answer,
  };
}

// Into the browser's storage at once; to the server when typing pauses.
function keepDraft(state) {
  if (!state.screen?.assignment_id || state.submitted) return;
  const kept = state.storage.draft(state.screen.assignment_id);
  if (kept) state.storage.putDraft(state.screen.assignment_id, { ...kept, seconds: secondsNow(state) });
}

function changed(state, answer) {
  state.answer = answer;
  state.problem = "";
  state.missing = null;
  const rev = (state.rev = Math.max(Date.now(), state.rev + 1));
  const { assignment_id: aid, stage } = state.screen;
  state.storage.putDraft(aid, { answer, rev, stage, seconds: secondsNow(state) });
  clearTimeout(state.draftTimer);
  state.draftTimer = setTimeout(() => {
    if (state.submitted || state.screen.assignment_id !== aid) return;
    state.draft = event(state, "draft", rev);
    sendAll(state);
  }, DRAFT_MS);
}

// All that is not confirmed yet, in one message, as a later message replaces one that is still on its way.
function sendAll(state, { always = false } = {}) {
  const waiting = state.storage.waiting();
  const events = [...waiting, ...(state.opened ? [state.opened] : []), ...(state.draft ? [state.draft] : [])];
  state.opened = null;
  if (events.length || always) state.send({ events, show: state.show });
}

function submit(state, root) {
  if (!state.screen.assignment_id || state.submitted) return;
  const missing = missingFrom(state.screen, state.rows, state.answer);
  if (missing) {
    state.problem = missing.text;
    state.missing = missing.row?.id ?? null;
    state.focus = missing.row ? "row" : "corrected";
    if (missing.row) state.active = state.rows.indexOf(missing.row);
    else state.open.add("corrected");
    return draw(state, root);
  }
  clearTimeout(state.draftTimer);
  state.draft = null;
  const given = event(state, "judgement");
  state.storage.putWaiting(given);
  state.show = null;
  state.problem = "";
  sendAll(state);
  waitFor(state, given);
  draw(state, root);
}

// Nothing can be entered until the server has confirmed what was given; after a while it is said why.
function waitFor(state, given) {
  state.submitted = given;
  clearTimeout(state.offlineTimer);
  state.offlineTimer = setTimeout(() => {
    if (!state.submitted) return;
    state.offline = true;
    draw(state, state.root);
  }, OFFLINE_MS);
}

function choose(state, root, row, value) {
  if (state.submitted) return;
  const place = state.rows.findIndex((one) => one.id === row.id);
  remember(state);
  changed(state, row.set(state.answer, value));
  state.rows = rowsOf(state.screen, state.answer);
  state.active = Math.min(place + 1, state.rows.length);
  state.focus = "row";
  if (row.id === "decision" && value === "correct") openField(state, "corrected");
  draw(state, root);
}

// An arrow changes the level and stays.
function shift(state, root, by) {
  const row = state.rows[state.active];
  if (!row) return;
  const options = row.options.filter((option) => option.value !== CANNOT);
  const place = options.findIndex((option) => option.value === row.get(state.answer));
  const next = place < 0 ? (by > 0 ? 0 : options.length - 1) : Math.min(Math.max(place + by, 0), options.length - 1);
  remember(state);
  changed(state, row.set(state.answer, options[next].value));
  state.rows = rowsOf(state.screen, state.answer);
  state.focus = "row";
  draw(state, root);
}

const remember = (state) => state.history.push({ answer: state.answer, active: state.active });

function undo(state, root) {
  const last = state.history.pop();
  if (!last) return goBack(state);
  // What was typed stays: it has the browser's own undo.
  const { comment, corrected } = state.answer;
  changed(state, { ...last.answer, comment, ...(corrected === undefined ? {} : { corrected }) });
  state.rows = rowsOf(state.screen, state.answer);
  state.active = Math.min(last.active, state.rows.length);
  state.focus = "row";
  draw(state, root);
}

// To the screen before this one; its answer may be changed, which is a new event.
function goBack(state) {
  const before = state.screen.before;
  if (!before || state.submitted) return;
  state.show = before;
  sendAll(state, { always: true });
}

// To the screen that waits; also to see whether there is one by now.
function goForward(state) {
  state.show = null;
  sendAll(state, { always: true });
}

function toggleCritical(state, root) {
  if (!state.screen.critical_question || state.submitted) return;
  remember(state);
  changed(state, { ...state.answer, critical_error: !state.answer.critical_error });
  draw(state, root);
}

function openField(state, name) {
  if (!(name in state.answer)) return;
  if (name === "corrected" && !state.answer.corrected) state.answer.corrected = correctable(state.screen) ?? "";
  state.open.add(name);
  state.focus = name;
}

function closeHelp(state, root) {
  state.help = false;
  state.taken = false;
  state.storage.put("welcomed", true);
  state.focus = "row";
  draw(state, root);
}
