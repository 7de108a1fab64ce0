// What a screen asks, as rows of options, and the answer given so far. Nothing here knows the page.
//
// A row is {id, title, question, required, options: [{value, key, keys, short, words}], get(answer), set(answer, value)}.
// `get` gives undefined where nothing was chosen; "cannot judge" is the option with the value CANNOT.

const CANNOT = "\u0000cannot";

function emptyAnswer(kind) {
  switch (kind) {
    case "rubric":
      return { levels: {}, cannot_judge: [], critical_error: false, comment: "", corrected: "" };
    case "pairwise":
      return { choice: null, strength: null, criteria: {}, comment: "" };
    case "validate":
      return { decision: null, corrected: "", comment: "" };
    default:
      return { comment: "" }; // closing: `guess` is not there until something was chosen, as null means "cannot tell"
  }
}

function rowsOf(screen, answer) {
  switch (screen.kind) {
    case "rubric":
      return screen.criteria.map(levelRow);
    case "pairwise":
      return pairRows(screen, answer);
    case "validate":
      return [decisionRow(screen)];
    case "closing":
      return [guessRow(screen)];
    default:
      return [];
  }
}

function levelRow(criterion) {
  const id = criterion.criterion_id;
  const options = criterion.levels.map(([value, words]) => {
    const named = typeof value === "string"; // fail and pass
    return {
      value,
      key: named ? value[0] : String(value),
      keys: [named ? value[0] : String(value)],
      short: named ? wordsOf(value) : String(value),
      words,
    };
  });
  options.push({ value: CANNOT, key: "0", keys: ["0", "n"], short: "–", words: "Cannot judge" });
  return {
    id,
    title: wordsOf(id),
    question: criterion.question,
    required: criterion.required,
    options,
    get: (answer) => (answer.cannot_judge.includes(id) ? CANNOT : answer.levels[id]),
    set: (answer, value) => {
      const levels = { ...answer.levels };
      const cannot = answer.cannot_judge.filter((one) => one !== id);
      delete levels[id];
      if (value === CANNOT) cannot.push(id);
      else if (value !== undefined) levels[id] = value;
      return { ...answer, levels, cannot_judge: cannot };
    },
  };
}

function pairRows(screen, answer) {
  const sides = (tie) => [
    { value: "left", key: "a", keys: ["a", "1"], short: "A", words: "A is better" },
    { value: "tie", key: "t", keys: ["t", "2"], short: "=", words: tie },
    { value: "right", key: "b", keys: ["b", "3"], short: "B", words: "B is better" },
  ];
  const rows = [
    {
      id: "choice",
      title: "Which is better?",
      question: screen.question,
      required: true,
      options: [
        ...sides("Equally good"),
        { value: "both_bad", key: "n", keys: ["n", "4", "0"], short: "✕", words: "Neither: both are bad" },
      ],
      get: (given) => given.choice ?? undefined,
      set: (given, value) => ({
        ...given,
        choice: value ?? null,
        strength: value === "left" || value === "right" ? given.strength : null,
      }),
    },
  ];
  if (answer.choice === "left" || answer.choice === "right") {
    rows.push({
      id: "strength",
      title: "By how much?",
      question: null,
      required: false,
      options: ["Slightly", "Clearly", "By far"].map((words, place) => ({
        value: place + 1,
        key: String(place + 1),
        keys: [String(place + 1)],
        short: String(place + 1),
        words,
      })),
      get: (given) => given.strength ?? undefined,
      set: (given, value) => ({ ...given, strength: value ?? null }),
    });
  }
  for (const criterion of screen.criteria) {
    const id = criterion.criterion_id;
    rows.push({
      id: `criterion ${id}`,
      title: wordsOf(id),
      question: criterion.question,
      required: false,
      options: sides("No difference"),
      get: (given) => given.criteria[id],
      set: (given, value) => {
        const criteria = { ...given.criteria };
        delete criteria[id];
        if (value !== undefined) criteria[id] = value;
        return { ...given, criteria };
      },
    });
  }
  return rows;
}

function decisionRow(screen) {
  return {
    id: "decision",
    title: "May this record be used?",
    question: screen.question,
    required: true,
    options: [
      { value: "accept", key: "1", keys: ["1", "a", "y"], short: "Accept", words: "Accept: it is right as it stands" },
      { value: "correct", key: "2", keys: ["2"], short: "Correct", words: "Correct: right once I have changed the answer" },
      { value: "reject", key: "3", keys: ["3", "x"], short: "Reject", words: "Reject: it must not be used" },
    ],
    get: (answer) => answer.decision ?? undefined,
    set: (answer, value) => ({ ...answer, decision: value ?? null }),
  };
}

function guessRow(screen) {
  return {
    id: "guess",
    title: "One last question",
    question: screen.question || "Which of these answers do you think came from a model that was fine-tuned for this task?",
    required: true,
    options: [
      ...screen.answers.map((answer, place) => ({
        value: place,
        key: String(place + 1),
        keys: [String(place + 1), answer.label.toLowerCase()],
        short: answer.label,
        words: `Answer ${answer.label}`,
      })),
      { value: CANNOT, key: "0", keys: ["0", "n"], short: "–", words: "Cannot tell" },
    ],
    get: (answer) => (answer.guess === null ? CANNOT : answer.guess),
    set: (answer, value) => {
      const changed = { ...answer };
      delete changed.guess;
      if (value === CANNOT) changed.guess = null;
      else if (value !== undefined) changed.guess = value;
      return changed;
    },
  };
}

// What is still missing, as (row, sentence), or null.
function missingFrom(screen, rows, answer) {
  const row = rows.find((one) => one.required && one.get(answer) === undefined);
  if (row) return { row, text: `“${row.title}” is still open.` };
  if (screen.kind === "validate" && answer.decision === "correct" && !finalAnswer(screen, answer).corrected) {
    return { row: null, text: "Change the answer to what it should be, or choose another decision." };
  }
  return null;
}

// The answer as it is stored: no correction that says what the answer says already.
function finalAnswer(screen, answer) {
  const final = { ...answer };
  for (const name of ["comment", "corrected"]) if (name in final) final[name] = final[name].trim();
  if (final.corrected && final.corrected === (correctable(screen) ?? "").trim()) final.corrected = "";
  return final;
}

// The text that a correction starts from; null where nothing can be corrected.
function correctable(screen) {
  if (screen.kind === "rubric") return screen.answers[0]?.text ?? "";
  if (screen.kind === "validate") return screen.answers[0]?.text ?? screen.reference ?? "";
  return null;
}

function wordsOf(name) {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
